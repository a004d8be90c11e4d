package dev.loomlet.acceptance.peers;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.alpn.server.ALPNServerConnectionFactory;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.http2.server.HTTP2ServerConnectionFactory;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;

/**
 * A Jetty on real threads: HTTP/1.1 and HTTP/2, plain and over TLS.
 *
 * <p>{@code /upper?word} gives the word in upper case and the version of HTTP, {@code /slow?millis} takes so long.
 */
public final class WebPeer implements AutoCloseable {
    private final Server server = new Server();
    private final ServerConnector plain;
    private final ServerConnector secure;
    private final AtomicInteger inside = new AtomicInteger();

    /** Starts it. */
    public WebPeer() throws Exception {
        Certificate.install();
        HttpConfiguration config = new HttpConfiguration();
        plain = new ServerConnector(server, new HttpConnectionFactory(config),
                new HTTP2CServerConnectionFactory(config));
        HttpConfiguration secureConfig = new HttpConfiguration();
        secureConfig.addCustomizer(new SecureRequestCustomizer());
        SslContextFactory.Server tls = new SslContextFactory.Server();
        tls.setSslContext(Certificate.context());
        HttpConnectionFactory http = new HttpConnectionFactory(secureConfig);
        ALPNServerConnectionFactory alpn = new ALPNServerConnectionFactory();
        alpn.setDefaultProtocol(http.getProtocol());
        secure = new ServerConnector(server, new SslConnectionFactory(tls, alpn.getProtocol()), alpn,
                new HTTP2ServerConnectionFactory(secureConfig), http);
        for (ServerConnector each : new ServerConnector[] {plain, secure}) {
            each.setHost("127.0.0.1");
            server.addConnector(each);
        }
        server.setHandler(new Handler.Abstract() {
            @Override
            public boolean handle(Request request, Response response, Callback callback) {
                String answer = answer(request.getHttpURI().getPath(), String.valueOf(request.getHttpURI().getQuery()));
                String body = answer + " " + request.getConnectionMetaData().getHttpVersion();
                response.write(true, ByteBuffer.wrap(body.getBytes(StandardCharsets.UTF_8)), callback);
                return true;
            }
        });
        server.start();
    }

    private String answer(String path, String query) {
        if (!path.equals("/slow")) {
            return query.toUpperCase(java.util.Locale.ROOT);
        }
        inside.incrementAndGet();
        try {
            Thread.sleep(Long.parseLong(query));
        } catch (InterruptedException stopped) {
            return "stopped";
        } finally {
            inside.decrementAndGet();
        }
        return "at last";
    }

    /** Its address, without a path. */
    public String address(boolean tls) {
        return tls ? "https://127.0.0.1:" + secure.getLocalPort() : "http://127.0.0.1:" + plain.getLocalPort();
    }

    /** How many slow requests it is in. */
    public int inside() {
        return inside.get();
    }

    /** What there is to say of it. */
    public static String name() {
        return "Jetty " + Server.getVersion();
    }

    @Override
    public void close() throws Exception {
        server.setStopTimeout(0);
        server.stop();
    }
}
