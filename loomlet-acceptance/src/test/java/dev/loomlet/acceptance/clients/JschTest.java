package dev.loomlet.acceptance.clients;

import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.Session;
import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.SshPeer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** All calls are channels of one session, whose socket a thread of its own reads. */
class JschTest extends AskingClient {
    private final AtomicInteger reading = new AtomicInteger();
    private @Nullable Session session;

    @Override
    protected Library library() {
        return Library.client("JSch", JSch.class, "Apache MINA SSHD")
                .with("while it opens a channel it swallows interrupts: a kill that comes then is heard at the next wait"
                        + " that throws it, or at the end");
    }

    @Override
    protected void open() throws Exception {
        SshPeer peer = closeLater(new SshPeer(answers));
        Session connected = new JSch().getSession("loomlet", "127.0.0.1", peer.port());
        connected.setPassword("secret".getBytes(StandardCharsets.UTF_8));
        connected.setConfig("StrictHostKeyChecking", "no");
        connected.connect((int) PATIENCE.toMillis());
        closeLater(connected::disconnect);
        session = connected;
    }

    @Override
    String ask(String question) throws Exception {
        ChannelExec channel = (ChannelExec) Objects.requireNonNull(session).openChannel("exec");
        try {
            channel.setCommand(question);
            var output = channel.getInputStream();
            channel.connect((int) PATIENCE.toMillis());
            reading.incrementAndGet();
            try {
                return new String(output.readAllBytes(), StandardCharsets.UTF_8);
            } finally {
                reading.decrementAndGet();
            }
        } finally {
            channel.disconnect();
        }
    }

    @Override
    protected int inside() {
        return Math.min(super.inside(), reading.get());
    }

    @Override
    protected boolean hasTls() {
        return false;
    }
}
