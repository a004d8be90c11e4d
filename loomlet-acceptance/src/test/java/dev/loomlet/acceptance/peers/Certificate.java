package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.util.Base64;
import java.util.Objects;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The key and the certificate of all peers, for 127.0.0.1, made at the first use. The JDK is told to trust it before
 * anybody asks it, so that clients check it with their defaults.
 */
public final class Certificate {
    /** The password of the key store. */
    public static final String PASSWORD = "loomlet";

    private static final Path FOLDER = Path.of("target",
            "certificate-" + ProcessHandle.current().pid()).toAbsolutePath(); // there may be several at a time
    private static final Path STORE = FOLDER.resolve("store.p12");
    private static final Path KEY = FOLDER.resolve("key.pem");
    private static final Path CERTIFICATE = FOLDER.resolve("certificate.pem");

    static {
        try {
            make();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
        for (String which : new String[] {"keyStore", "trustStore"}) {
            System.setProperty("javax.net.ssl." + which, STORE.toString());
            System.setProperty("javax.net.ssl." + which + "Password", PASSWORD);
        }
    }

    private Certificate() {}

    /** Makes it; the JDK's defaults trust it from now on. */
    public static void install() {
        // done when the class is loaded
    }

    /** The key, as PEM. */
    public static Path key() {
        return KEY;
    }

    /** The certificate, as PEM. */
    public static Path certificate() {
        return CERTIFICATE;
    }

    /** Both, and the certificate as one that is trusted, as PKCS #12. */
    public static Path store() {
        return STORE;
    }

    /** For servers and clients in this JVM. */
    public static SSLContext context() {
        try {
            KeyStore store = load();
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, PASSWORD.toCharArray());
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
            return context;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void make() throws IOException, GeneralSecurityException {
        Files.createDirectories(FOLDER);
        Files.deleteIfExists(STORE);
        keytool("-genkeypair", "-alias", "peer", "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2", "-dname",
                "CN=localhost", "-ext", "san=dns:localhost,ip:127.0.0.1");
        KeyStore store = load();
        Key key = Objects.requireNonNull(store.getKey("peer", PASSWORD.toCharArray()));
        byte[] certificate = store.getCertificate("peer").getEncoded();
        Files.writeString(KEY, pem("PRIVATE KEY", key.getEncoded()));
        Files.writeString(CERTIFICATE, pem("CERTIFICATE", certificate));
        store.setCertificateEntry("trusted", store.getCertificate("peer"));
        try (var out = Files.newOutputStream(STORE)) {
            store.store(out, PASSWORD.toCharArray());
        }
    }

    private static void keytool(String... arguments) throws IOException {
        var command = new java.util.ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(java.util.List.of(arguments));
        command.addAll(
                java.util.List.of("-keystore", STORE.toString(), "-storetype", "PKCS12", "-storepass", PASSWORD));
        Programs.run(java.util.Map.of(), command);
    }

    private static KeyStore load() throws IOException, GeneralSecurityException {
        return KeyStore.getInstance(STORE.toFile(), PASSWORD.toCharArray());
    }

    private static String pem(String what, byte[] content) {
        String body = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII)).encodeToString(content);
        return "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n";
    }
}
