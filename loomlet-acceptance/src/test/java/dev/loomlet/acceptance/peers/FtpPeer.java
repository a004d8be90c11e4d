package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.ftpserver.FtpServer;
import org.apache.ftpserver.FtpServerFactory;
import org.apache.ftpserver.ftplet.DefaultFtpReply;
import org.apache.ftpserver.ftplet.DefaultFtplet;
import org.apache.ftpserver.ftplet.FtpException;
import org.apache.ftpserver.ftplet.FtpRequest;
import org.apache.ftpserver.ftplet.FtpSession;
import org.apache.ftpserver.ftplet.FtpletResult;
import org.apache.ftpserver.listener.ListenerFactory;
import org.apache.ftpserver.usermanager.impl.BaseUser;
import org.apache.ftpserver.usermanager.impl.WritePermission;

/** An FTP server on real threads, whose SITE command is a question. */
public final class FtpPeer implements AutoCloseable {
    private final Path folder = Programs.folder("ftp");
    private final FtpServer server;
    private final int port = Programs.freePort();

    /** Starts it. */
    public FtpPeer(Answers answers) throws IOException, FtpException {
        FtpServerFactory factory = new FtpServerFactory();
        var connections = new org.apache.ftpserver.ConnectionConfigFactory();
        connections.setMaxThreads(100);
        connections.setMaxLogins(100);
        factory.setConnectionConfig(connections.createConnectionConfig());
        ListenerFactory listener = new ListenerFactory();
        listener.setServerAddress("127.0.0.1");
        listener.setPort(port);
        factory.addListener("default", listener.createListener());
        BaseUser user = new BaseUser();
        user.setName("loomlet");
        user.setPassword("secret");
        user.setHomeDirectory(folder.toString());
        user.setAuthorities(List.of(new WritePermission()));
        factory.getUserManager().save(user);
        factory.setFtplets(new HashMap<>(Map.of("answers", new DefaultFtplet() {
            @Override
            public FtpletResult onSite(FtpSession session, FtpRequest request) throws FtpException {
                session.write(new DefaultFtpReply(200, answers.to(request.getArgument())));
                return FtpletResult.SKIP;
            }
        })));
        server = factory.createServer();
        server.start();
    }

    /** Its port on 127.0.0.1. */
    public int port() {
        return port;
    }

    @Override
    public void close() throws IOException {
        server.stop();
        Programs.delete(folder);
    }
}
