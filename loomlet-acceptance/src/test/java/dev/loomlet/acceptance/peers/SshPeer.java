package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.command.AbstractCommandSupport;
import org.apache.sshd.server.keyprovider.SimpleGeneratorHostKeyProvider;

/** An SSH server on real threads, whose commands are questions. */
public final class SshPeer implements AutoCloseable {
    private final SshServer server = SshServer.setUpDefaultServer();

    /** Starts it. */
    public SshPeer(Answers answers) throws IOException {
        server.setHost("127.0.0.1");
        server.setKeyPairProvider(new SimpleGeneratorHostKeyProvider());
        server.setPasswordAuthenticator((user, password, session) -> password.equals("secret"));
        server.setCommandFactory((channel, command) -> new AbstractCommandSupport(command, null) {
            @Override
            public void run() {
                try {
                    getOutputStream().write(answers.to(command).getBytes(StandardCharsets.UTF_8));
                    getOutputStream().flush();
                    onExit(0);
                } catch (IOException e) {
                    onExit(1, e.toString());
                }
            }
        });
        server.start();
    }

    /** Its port on 127.0.0.1. */
    public int port() {
        return server.getPort();
    }

    @Override
    public void close() throws IOException {
        server.stop(true);
    }
}
