package dev.loomlet.acceptance.servers;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Certificate;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

class JettyTest extends WebServer {
    @Override
    protected Library library() {
        return Library.server("Jetty", Server.class, "java.net.http")
                .with("`queuedThreadPool.setVirtualThreadsExecutor(hub.executor())`");
    }

    @Override
    int serve(boolean tls) throws Exception {
        QueuedThreadPool threads = new QueuedThreadPool();
        threads.setVirtualThreadsExecutor(hub().executor());
        Server server = new Server(threads);
        SslContextFactory.Server context = new SslContextFactory.Server();
        context.setSslContext(Certificate.context());
        ServerConnector connector = tls ? new ServerConnector(server, context) : new ServerConnector(server);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        server.setHandler(new Handler.Abstract() {
            @Override
            public boolean handle(Request request, Response response, Callback callback) throws Exception {
                String question = Content.Source.asString(request, StandardCharsets.UTF_8);
                byte[] body = answer(question.getBytes(StandardCharsets.UTF_8));
                response.write(true, ByteBuffer.wrap(body), callback);
                return true;
            }
        });
        server.setStopTimeout(0);
        server.start();
        closeLater(server::stop);
        return connector.getLocalPort();
    }
}
