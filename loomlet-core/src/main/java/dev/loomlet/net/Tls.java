package dev.loomlet.net;

import dev.loomlet.Loomlet;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * TLS for servers and clients: who one is, whom one trusts, and what is agreed on at the handshake.
 *
 * {@snippet :
 * Tls tls = Tls.ofKeyStore(Path.of("server.p12"), password).alpn("h2", "http/1.1");
 * StreamServer server = StreamServer.builder(":443", socket -> serve((SSLSocket) socket)).tls(tls).build().start();
 * tls.reload();                                  // after the file was replaced: for new connections
 *
 * Tls client = Tls.system().handshakeLimit(ofSeconds(5));
 * try (SSLSocket socket = client.connect(Sockets.connect("example.org:443"), "example.org", 443)) {
 *     socket.getOutputStream().write(question);
 * }
 * }
 *
 * <p>It is the JDK's TLS over a socket of Loomlet's: handshakes, reads and writes park the greenlet, and a kill or a timeout
 * at a read costs neither the connection nor a byte.
 *
 * <p><b>SNI.</b> A client sends the name. A server whose key store has several certificates picks the one that matches it.
 * <b>Sessions</b> are resumed, by the JDK's cache and tickets: use one {@code Tls} for many connections.
 *
 * <p>The methods {@link #alpn}, {@link #handshakeLimit} and {@link #clientAuthentication} return a changed copy, which
 * {@link #reload} of one of them reaches as well. Any thread.
 *
 * <p>gevent's {@code gevent.ssl}.
 */
public final class Tls {
    /** How long a handshake may take unless told otherwise. */
    public static final Duration HANDSHAKE_LIMIT = Duration.ofSeconds(10);

    /** Addresses have no names: digits and dots, or colons. */
    private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|.*:.*");

    private final Source source;
    private final List<String> protocols;
    private final Duration limit;
    private final ClientAuthentication authentication;

    /** Whether a server asks its clients who they are. */
    public enum ClientAuthentication {
        /** It does not ask. */
        NONE,
        /** It asks, and takes no certificate for an answer. */
        WANTED,
        /** A client without a certificate that is trusted is turned away at the handshake. */
        NEEDED
    }

    /** Reads keys and certificates, again and again. */
    @FunctionalInterface
    private interface Reader {
        KeyStore read(char[] password) throws IOException, GeneralSecurityException;
    }

    /** Where the context comes from; shared by copies. */
    private static final class Source {
        private final @Nullable Reader reader;
        private final char[] password;
        volatile SSLContext context;

        Source(SSLContext context) {
            this.reader = null;
            this.password = new char[0];
            this.context = context;
        }

        Source(Reader reader, char[] password) throws IOException, GeneralSecurityException {
            this.reader = reader;
            this.password = password.clone();
            this.context = load(reader, this.password);
        }

        void reload() throws IOException, GeneralSecurityException {
            if (reader == null) {
                throw new IllegalStateException("made from an SSLContext; give the next one to use(...)");
            }
            context = load(reader, password);
        }

        private static SSLContext load(Reader reader, char[] password) throws IOException, GeneralSecurityException {
            KeyStore keys = MemoryKeys.of(reader.read(password), password);
            KeyManagerFactory manager = KeyManagerFactory.getInstance("PKIX"); // knows SNI, unlike "SunX509"
            manager.init(keys, password);
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            boolean anchors = false;
            for (String each : java.util.Collections.list(keys.aliases())) {
                anchors |= keys.isCertificateEntry(each);
            }
            trust.init(anchors ? keys : null);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(manager.getKeyManagers(), trust.getTrustManagers(), null);
            return context;
        }
    }

    private Tls(Source source, List<String> protocols, Duration limit, ClientAuthentication authentication) {
        this.source = source;
        this.protocols = protocols;
        this.limit = limit;
        this.authentication = authentication;
    }

    private static Tls of(Source source) {
        return new Tls(source, List.of(), HANDSHAKE_LIMIT, ClientAuthentication.NONE);
    }

    /** For clients: trusts whom the JVM trusts. */
    public static Tls system() {
        try {
            return of(new Source(SSLContext.getDefault()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JVM has no TLS: " + e.getMessage(), e);
        }
    }

    /** With a context made elsewhere. */
    public static Tls of(SSLContext context) {
        return of(new Source(context));
    }

    /**
     * With the keys and certificates of a file: PKCS #12, or what else {@link KeyStore} reads. Certificates in it without
     * a key are the ones to be trusted; if there are none, those that the JVM trusts are.
     *
     * @throws IOException if the file cannot be read, or the password is wrong
     * @throws GeneralSecurityException if its content is of no use
     */
    public static Tls ofKeyStore(Path file, char[] password) throws IOException, GeneralSecurityException {
        return of(new Source(secret -> KeyStore.getInstance(file.toFile(), secret), password));
    }

    /**
     * With a certificate and its key in two PEM files, as Certbot and OpenSSL write them; trusts whom the JVM trusts.
     *
     * {@snippet :
     * Tls tls = Tls.ofPem(Path.of("fullchain.pem"), Path.of("privkey.pem"));
     * }
     *
     * @param certificates the certificate, followed by those of the authorities between it and the root
     * @param key its key, not encrypted, in PKCS #8 ({@code BEGIN PRIVATE KEY})
     * @throws IOException if a file cannot be read
     * @throws GeneralSecurityException if its content is of no use; the message names the file
     */
    public static Tls ofPem(Path certificates, Path key) throws IOException, GeneralSecurityException {
        return of(new Source(secret -> Pem.read(certificates, key, secret), new char[0]));
    }

    /** A copy that offers, or takes, these application protocols, the preferred first (ALPN, RFC 7301). */
    public Tls alpn(String... preferredFirst) {
        return new Tls(source, List.of(preferredFirst), limit, authentication);
    }

    /** What was given to {@link #alpn}; nothing by default. */
    public List<String> protocols() {
        return protocols;
    }

    /** A copy with another limit for the whole of a handshake. */
    public Tls handshakeLimit(Duration time) {
        return new Tls(source, protocols, time, authentication);
    }

    /** A copy that, as a server, asks for certificates. */
    public Tls clientAuthentication(ClientAuthentication whether) {
        return new Tls(source, protocols, limit, whether);
    }

    /**
     * Reads the key store, or the PEM files, again. Handshakes that begin from now on use what they hold; connections that
     * are open go on. If it throws, everything stays as it was.
     *
     * @throws IllegalStateException if this was not made from files
     */
    public void reload() throws IOException, GeneralSecurityException {
        source.reload();
    }

    /** As {@link #reload}, with a context made elsewhere. */
    public void use(SSLContext context) {
        source.context = context;
    }

    /** The context that the next handshake uses. */
    public SSLContext context() {
        return source.context;
    }

    /**
     * A server's side of TLS on a connection: waits for the client's greeting and shakes hands.
     *
     * @return the socket to talk through; closing it closes {@code socket}
     * @throws SSLHandshakeException if no agreement was reached, or not in time; the connection is closed then
     */
    public SSLSocket accept(Socket socket) throws IOException {
        lookAhead(socket);
        SSLSocket secure = (SSLSocket) context().getSocketFactory()
                .createSocket(socket, (java.io.InputStream) null, true);
        SSLParameters parameters = secure.getSSLParameters();
        parameters.setApplicationProtocols(protocols.toArray(String[]::new));
        switch (authentication) {
            case NONE -> {}
            case WANTED -> parameters.setWantClientAuth(true);
            case NEEDED -> parameters.setNeedClientAuth(true);
        }
        secure.setSSLParameters(parameters);
        return shakeHands(socket, secure);
    }

    /**
     * A client's side of TLS on a connection: shakes hands and makes sure that the server is {@code host}.
     *
     * @param host the name that its certificate must have, and that is sent to it (SNI)
     * @param port together with the name it tells which session may be resumed
     * @return the socket to talk through; closing it closes {@code socket}
     * @throws SSLHandshakeException if no agreement was reached, or not in time; the connection is closed then
     */
    public SSLSocket connect(Socket socket, String host, int port) throws IOException {
        lookAhead(socket);
        SSLSocket secure = (SSLSocket) context().getSocketFactory().createSocket(socket, host, port, true);
        SSLParameters parameters = secure.getSSLParameters();
        parameters.setApplicationProtocols(protocols.toArray(String[]::new));
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        if (!ADDRESS.matcher(host).matches()) {
            parameters.setServerNames(List.of(new SNIHostName(host)));
        }
        secure.setSSLParameters(parameters);
        return shakeHands(socket, secure);
    }

    private static void lookAhead(Socket socket) {
        if (socket instanceof StreamSocket stream) {
            stream.lookAhead();
        }
    }

    private SSLSocket shakeHands(Socket plain, SSLSocket secure) throws IOException {
        boolean done = false;
        try {
            done = Loomlet.withTimeout(limit, () -> {
                secure.startHandshake();
                return true;
            }, false);
            if (!done) {
                throw new SSLHandshakeException("no TLS handshake with "
                        + Addresses.format(plain.getRemoteSocketAddress()) + " within " + limit);
            }
            return secure;
        } finally {
            if (!done) {
                plain.close(); // not the secure one, which would say good-bye to somebody who may not listen
            }
        }
    }
}
