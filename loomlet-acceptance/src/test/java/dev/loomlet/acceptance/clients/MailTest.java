package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.ServerSetup;
import dev.loomlet.acceptance.ClientOnHub;
import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.SlowLine;
import dev.loomlet.acceptance.peers.Spares;
import jakarta.mail.Folder;
import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.Store;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.time.Duration;
import java.util.Objects;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** Sends by SMTP and reads by IMAP; a slow call is an IMAP command over a slow line. */
class MailTest extends ClientOnHub {
    private final Properties settings = new Properties();
    private @Nullable SlowLine line;
    private @Nullable Spares<Box> boxes;

    /** An open mailbox. */
    private record Box(Store store, Folder inbox) implements AutoCloseable {
        @Override
        public void close() throws MessagingException {
            store.close();
        }
    }

    @Override
    protected Library library() {
        return Library.client("Angus Mail, SMTP and IMAP", org.eclipse.angus.mail.imap.IMAPStore.class, "GreenMail");
    }

    @Override
    protected void open() throws Exception {
        GreenMail peer = new GreenMail(new ServerSetup[] {new ServerSetup(0, "127.0.0.1", ServerSetup.PROTOCOL_SMTP),
            new ServerSetup(0, "127.0.0.1", ServerSetup.PROTOCOL_IMAP)});
        peer.start();
        closeLater(peer::stop);
        peer.setUser("loomlet@localhost", "loomlet", "secret");
        line = closeLater(new SlowLine(peer.getImap().getPort()));
        settings.putAll(java.util.Map.of("mail.smtp.host", "127.0.0.1", "mail.smtp.port", peer.getSmtp().getPort() + "",
                "mail.imap.host", "127.0.0.1", "mail.imap.port", line.port() + "", "mail.store.protocol", "imap"));
        Session session = Session.getInstance(settings);
        boxes = closeLater(new Spares<>(() -> {
            Store store = session.getStore();
            store.connect("loomlet", "secret");
            Folder inbox = store.getFolder("INBOX");
            inbox.open(Folder.READ_WRITE);
            return new Box(store, inbox);
        }));
    }

    @Override
    protected void rightResults() throws Exception {
        Objects.requireNonNull(line).delay(Duration.ZERO);
        String body = "Łódź 東京 ".repeat(3000);
        MimeMessage message = new MimeMessage(Session.getInstance(settings));
        message.setFrom(new InternetAddress("hub@localhost"));
        message.setRecipient(Message.RecipientType.TO, new InternetAddress("loomlet@localhost"));
        message.setSubject("greenlets");
        message.setText(body, "UTF-8");
        Transport.send(message);
        Objects.requireNonNull(boxes).use(box -> {
            assertThat(box.inbox.getMessageCount()).isPositive();
            Message got = box.inbox.getMessage(box.inbox.getMessageCount());
            assertThat(got.getSubject()).isEqualTo("greenlets");
            assertThat(got.getContent().toString().strip()).isEqualTo(body.strip());
            return true;
        });
    }

    @Override
    protected void slowCall(int number, Duration latency) throws Exception {
        Objects.requireNonNull(boxes).use(box -> {
            Objects.requireNonNull(line).delay(latency);
            assertThat(box.inbox.search(new jakarta.mail.search.SubjectTerm("nothing of that name"))).isEmpty();
            return true;
        });
    }

    @Override
    protected int inside() {
        return Objects.requireNonNull(line).inside();
    }

    @Override
    protected int held() {
        return Objects.requireNonNull(boxes).held();
    }

    @Override
    protected boolean hasTls() {
        return false;
    }
}
