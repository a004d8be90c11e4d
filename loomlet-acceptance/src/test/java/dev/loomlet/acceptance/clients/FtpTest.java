package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.FtpPeer;
import dev.loomlet.acceptance.peers.Spares;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Objects;
import org.apache.commons.net.ftp.FTP;
import org.apache.commons.net.ftp.FTPClient;
import org.jspecify.annotations.Nullable;

/** A slow call is a command that the server is slow to answer. */
class FtpTest extends AskingClient {
    /** A client that hangs up when it is closed. */
    private record Session(FTPClient client) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            client.disconnect();
        }
    }

    private @Nullable Spares<Session> sessions;

    @Override
    protected Library library() {
        return Library.client("commons-net, FTP", FTPClient.class, "Apache FtpServer");
    }

    @Override
    protected void open() throws Exception {
        FtpPeer peer = closeLater(new FtpPeer(answers));
        sessions = closeLater(new Spares<>(() -> {
            FTPClient client = new FTPClient();
            client.connect("127.0.0.1", peer.port());
            if (!client.login("loomlet", "secret") || !client.setFileType(FTP.BINARY_FILE_TYPE)) {
                throw new IOException(client.getReplyString());
            }
            client.enterLocalPassiveMode();
            return new Session(client);
        }));
    }

    @Override
    String ask(String question) throws Exception {
        return Objects.requireNonNull(sessions).use(session -> {
            session.client.sendSiteCommand(question);
            return session.client.getReplyString().substring("200 ".length()).strip();
        });
    }

    @Override
    protected void rightResults() throws Exception {
        assertThat(ask("upper greenlet")).isEqualTo("GREENLET");
        byte[] data = new byte[300_000];
        new java.util.Random(1).nextBytes(data);
        Objects.requireNonNull(sessions).use(session -> {
            FTPClient client = session.client;
            assertThat(client.storeFile("data", new ByteArrayInputStream(data))).isTrue();
            assertThat(client.listNames()).contains("data");
            var back = new ByteArrayOutputStream();
            assertThat(client.retrieveFile("data", back)).isTrue();
            assertThat(back.toByteArray()).isEqualTo(data);
            assertThat(client.deleteFile("data")).isTrue();
            return true;
        });
    }

    @Override
    protected int held() {
        return Objects.requireNonNull(sessions).held();
    }

    @Override
    protected boolean hasTls() {
        return false;
    }
}
