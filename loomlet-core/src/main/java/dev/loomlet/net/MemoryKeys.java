package dev.loomlet.net;

import java.io.InputStream;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.KeyStoreSpi;
import java.security.cert.Certificate;
import java.util.Collections;
import java.util.Date;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A key store whose keys have been decrypted once and for all. The JDK's key manager that knows SNI asks its store for the key
 * at each handshake, and a PKCS #12 store derives the one that decrypts it from the password each time, 10,000 rounds of a hash:
 * milliseconds, in which nobody else runs.
 */
final class MemoryKeys extends KeyStoreSpi {
    private final KeyStore from; // for all but the keys
    private final Map<String, Key> keys = new HashMap<>();

    private MemoryKeys(KeyStore from, char[] password) throws GeneralSecurityException {
        this.from = from;
        for (String each : Collections.list(from.aliases())) {
            if (from.isKeyEntry(each)) {
                keys.put(each, from.getKey(each, password));
            }
        }
    }

    /** A view of the store that never changes. */
    static KeyStore of(KeyStore from, char[] password) throws GeneralSecurityException {
        KeyStore made = new KeyStore(new MemoryKeys(from, password), from.getProvider(), from.getType()) {};
        try {
            made.load(null);
        } catch (java.io.IOException e) {
            throw new KeyStoreException("not read from anywhere", e);
        }
        return made;
    }

    private interface Question<T extends @Nullable Object> {
        T ask() throws KeyStoreException;
    }

    private static <T extends @Nullable Object> T ask(Question<T> question) {
        try {
            return question.ask();
        } catch (KeyStoreException e) {
            throw new IllegalStateException("a key store that was read cannot be asked", e);
        }
    }

    @Override
    public @Nullable Key engineGetKey(String alias, char @Nullable [] password) {
        return keys.get(alias);
    }

    @Override
    public Certificate @Nullable [] engineGetCertificateChain(String alias) {
        return ask(() -> from.getCertificateChain(alias));
    }

    @Override
    public @Nullable Certificate engineGetCertificate(String alias) {
        return ask(() -> from.getCertificate(alias));
    }

    @Override
    public @Nullable Date engineGetCreationDate(String alias) {
        return ask(() -> from.getCreationDate(alias));
    }

    @Override
    public Enumeration<String> engineAliases() {
        return ask(from::aliases);
    }

    @Override
    public boolean engineContainsAlias(String alias) {
        return ask(() -> from.containsAlias(alias));
    }

    @Override
    public int engineSize() {
        return ask(from::size);
    }

    @Override
    public boolean engineIsKeyEntry(String alias) {
        return ask(() -> from.isKeyEntry(alias));
    }

    @Override
    public boolean engineIsCertificateEntry(String alias) {
        return ask(() -> from.isCertificateEntry(alias));
    }

    @Override
    public @Nullable String engineGetCertificateAlias(Certificate certificate) {
        return ask(() -> from.getCertificateAlias(certificate));
    }

    @Override
    public void engineLoad(@Nullable InputStream stream, char @Nullable [] password) {
        // it is all there
    }

    @Override
    public void engineLoad(KeyStore.@Nullable LoadStoreParameter parameter) {
        // it is all there
    }

    private static UnsupportedOperationException fixed() {
        return new UnsupportedOperationException("these keys are only read");
    }

    @Override
    public void engineSetKeyEntry(String alias, Key key, char[] password, Certificate[] chain) {
        throw fixed();
    }

    @Override
    public void engineSetKeyEntry(String alias, byte[] key, Certificate[] chain) {
        throw fixed();
    }

    @Override
    public void engineSetCertificateEntry(String alias, Certificate certificate) {
        throw fixed();
    }

    @Override
    public void engineDeleteEntry(String alias) {
        throw fixed();
    }

    @Override
    public void engineStore(OutputStream stream, char[] password) {
        throw fixed();
    }
}
