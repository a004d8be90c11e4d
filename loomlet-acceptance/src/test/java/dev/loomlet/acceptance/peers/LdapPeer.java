package dev.loomlet.acceptance.peers;

import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import com.unboundid.ldap.listener.InMemoryListenerConfig;
import com.unboundid.ldap.listener.interceptor.InMemoryInterceptedSearchEntry;
import com.unboundid.ldap.listener.interceptor.InMemoryInterceptedSearchRequest;
import com.unboundid.ldap.listener.interceptor.InMemoryOperationInterceptor;
import com.unboundid.ldap.sdk.Entry;
import com.unboundid.ldap.sdk.Filter;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.SearchRequest;
import java.net.InetAddress;

/** A directory on real threads, in which a search for a description is a question. */
public final class LdapPeer implements AutoCloseable {
    private final InMemoryDirectoryServer server;

    /** Starts it. */
    public LdapPeer(Answers answers) throws Exception {
        InMemoryDirectoryServerConfig config = new InMemoryDirectoryServerConfig("dc=loomlet");
        config.setSchema(null);
        InetAddress here = InetAddress.getLoopbackAddress();
        config.setListenerConfigs(InMemoryListenerConfig.createLDAPConfig("plain", here, 0, null),
                InMemoryListenerConfig.createLDAPSConfig("tls", here, 0,
                        Certificate.context().getServerSocketFactory(), Certificate.context().getSocketFactory()));
        ThreadLocal<String> question = new ThreadLocal<>();
        config.addInMemoryOperationInterceptor(new InMemoryOperationInterceptor() {
            @Override
            public void processSearchRequest(InMemoryInterceptedSearchRequest request) throws LDAPException {
                SearchRequest asked = request.getRequest().duplicate();
                question.set(asked.getFilter().getAssertionValue());
                asked.setFilter(Filter.createPresenceFilter("objectClass"));
                request.setRequest(asked);
            }

            @Override
            public void processSearchEntry(InMemoryInterceptedSearchEntry entry) {
                Entry answer = new Entry("dc=loomlet");
                answer.addAttribute("description", answers.to(question.get()));
                entry.setSearchEntry(answer);
            }
        });
        server = new InMemoryDirectoryServer(config);
        server.add("dn: dc=loomlet", "objectClass: top", "objectClass: domain", "dc: loomlet");
        server.startListening();
    }

    /** Its port on 127.0.0.1. */
    public int port(boolean tls) {
        return server.getListenPort(tls ? "tls" : "plain");
    }

    @Override
    public void close() {
        server.shutDown(true);
    }
}
