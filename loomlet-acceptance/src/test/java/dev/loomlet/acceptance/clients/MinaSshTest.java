package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.SshPeer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.jspecify.annotations.Nullable;

/** All calls are channels of one session. */
class MinaSshTest extends AskingClient {
    private @Nullable ClientSession session;

    @Override
    protected Library library() {
        return Library.client("Apache MINA SSHD, client", SshClient.class, "its server").with(
                "`ClientChannel.waitFor` and `ClientSession.executeRemoteCommand` swallow interrupts: a call that is to be"
                        + " killed or timed out reads the channel's streams instead");
    }

    @Override
    protected void open() throws IOException {
        SshPeer peer = closeLater(new SshPeer(answers));
        SshClient client = SshClient.setUpDefaultClient();
        client.setServerKeyVerifier(AcceptAllServerKeyVerifier.INSTANCE);
        client.start();
        closeLater(client::stop);
        ClientSession connected = client.connect("loomlet", "127.0.0.1", peer.port()).verify(PATIENCE).getSession();
        connected.addPasswordIdentity("secret");
        connected.auth().verify(PATIENCE);
        session = closeLater(connected);
    }

    @Override
    String ask(String question) throws IOException {
        try (ChannelExec channel = Objects.requireNonNull(session).createExecChannel(question)) {
            channel.open().verify(PATIENCE);
            return new String(channel.getInvertedOut().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Override
    protected boolean hasTls() {
        return false;
    }
}
