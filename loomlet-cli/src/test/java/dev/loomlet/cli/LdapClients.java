package dev.loomlet.cli;

import com.unboundid.ldap.sdk.LDAPConnection;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.ResultCode;
import com.unboundid.ldap.sdk.SearchResultEntry;
import com.unboundid.ldap.sdk.SearchScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Many clients of one directory, all connected at the same time, each with an entry of its own. */
final class LdapClients {
    /** What the server has to be told. */
    static final String BASE = "dc=example,dc=org";
    static final String USER = "cn=manager";
    static final String PASSWORD = "secret";

    private static final Semaphore CONNECTING = new Semaphore(40);

    private LdapClients() {}

    /** What they have read, in the order of their numbers, and how many entries there are at the end. */
    static List<String> drive(int port, int clients) throws Exception {
        try (LDAPConnection first = connect(port)) {
            first.add("dn: " + BASE, "objectClass: domain", "dc: example");
        }
        CyclicBarrier connected = new CyclicBarrier(clients);
        List<Future<String>> running = new ArrayList<>();
        List<String> results = new ArrayList<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < clients; i++) {
                int number = i;
                running.add(threads.submit(() -> client(port, number, connected)));
            }
            for (Future<String> each : running) {
                results.add(each.get(200, TimeUnit.SECONDS));
            }
        }
        try (LDAPConnection last = connect(port)) {
            results.add(found(last, BASE).size() + " entries");
        }
        return results;
    }

    private static LDAPConnection connect(int port) throws LDAPException {
        return new LDAPConnection("127.0.0.1", port, USER, PASSWORD);
    }

    private static List<String> found(LDAPConnection connection, String base) throws LDAPException {
        List<String> names = new ArrayList<>();
        List<SearchResultEntry> entries = connection.search(base, SearchScope.SUB, "(sn=name *)").getSearchEntries();
        for (SearchResultEntry each : Objects.requireNonNull(entries)) {
            names.add(each.getDN() + " " + each.getAttributeValue("sn"));
        }
        return names;
    }

    private static String client(int port, int number, CyclicBarrier connected) throws Exception {
        CONNECTING.acquire();
        LDAPConnection connection;
        try {
            connection = connect(port);
        } finally {
            CONNECTING.release();
        }
        try (connection) {
            connected.await(180, TimeUnit.SECONDS); // nobody begins before all are connected
            String name = "cn=entry " + number + "," + BASE;
            connection.add("dn: " + name, "objectClass: person", "cn: entry " + number, "sn: name " + number);
            List<String> read = found(connection, name);
            try {
                connection.delete("cn=nobody," + BASE);
                throw new AssertionError("there is a nobody");
            } catch (LDAPException e) {
                read.add(e.getResultCode().equals(ResultCode.NO_SUCH_OBJECT) ? "nobody" : e.toString());
            }
            return read.toString();
        }
    }
}
