package dev.loomlet.acceptance.clients;

import com.unboundid.ldap.sdk.Filter;
import com.unboundid.ldap.sdk.LDAPConnection;
import com.unboundid.ldap.sdk.LDAPConnectionPool;
import com.unboundid.ldap.sdk.SearchResultEntry;
import com.unboundid.ldap.sdk.SearchScope;
import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Certificate;
import dev.loomlet.acceptance.peers.LdapPeer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A question is a search; a thread of the library reads the answers of each connection. */
class LdapTest extends AskingClient {
    private @Nullable LDAPConnectionPool pool;
    private @Nullable LdapPeer peer;

    @Override
    protected Library library() {
        return Library.client("UnboundID LDAP SDK", LDAPConnection.class, "its in-memory server");
    }

    @Override
    protected void open() throws Exception {
        peer = closeLater(new LdapPeer(answers));
        pool = closeLater(new LDAPConnectionPool(new LDAPConnection("127.0.0.1", peer.port(false)), 1, CALLS));
    }

    @Override
    protected void openTls() throws Exception {
        pool = closeLater(new LDAPConnectionPool(new LDAPConnection(Certificate.context().getSocketFactory(),
                "127.0.0.1", Objects.requireNonNull(peer).port(true)), 1, CALLS));
    }

    @Override
    String ask(String question) throws Exception {
        @Nullable SearchResultEntry found = Objects.requireNonNull(pool).searchForEntry("dc=loomlet", SearchScope.SUB,
                Filter.createEqualityFilter("description", question));
        return String.valueOf(Objects.requireNonNull(found).getAttributeValue("description"));
    }
}
