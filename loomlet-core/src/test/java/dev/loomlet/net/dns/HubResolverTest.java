package dev.loomlet.net.dns;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.withTimeout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.TimeoutExpired;
import dev.loomlet.internal.jdk.NameCache;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.net.spi.InetAddressResolver;
import java.net.spi.InetAddressResolver.LookupPolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class HubResolverTest {
    private static final LookupPolicy V4 = LookupPolicy.of(LookupPolicy.IPV4);
    private static final LookupPolicy BOTH =
            LookupPolicy.of(LookupPolicy.IPV4 | LookupPolicy.IPV6 | LookupPolicy.IPV6_FIRST);
    private static final long SECOND = 1_000_000_000L;

    private final NameServer server = new NameServer();
    private final AtomicLong clock = new AtomicLong();
    private final Workers workers = new Workers("test-dns-", 2, Duration.ofMillis(50));

    @AfterEach
    void close() {
        server.answers.release(1000);
        Hub.ifPresent().ifPresent(Hub::close);
    }

    /** In place of the JDK's resolver: blocks its thread until it is let, as a slow name server does. */
    private static final class NameServer implements InetAddressResolver {
        final List<String> asked = Collections.synchronizedList(new ArrayList<>());
        final List<Thread> threads = Collections.synchronizedList(new ArrayList<>());
        final Semaphore answers = new Semaphore(0);
        volatile RuntimeException broken;

        @Override
        public Stream<InetAddress> lookupByName(String host, LookupPolicy policy) throws UnknownHostException {
            waitFor(host);
            if (host.startsWith("nosuch")) {
                throw new UnknownHostException(host + ": Name or service not known");
            }
            return Stream.of(InetAddress.getByAddress(host, new byte[] {10, 0, 0, (byte) asked.size()}));
        }

        @Override
        public String lookupByAddress(byte[] address) throws UnknownHostException {
            waitFor("address " + address[3]);
            return "host-" + address[3];
        }

        private void waitFor(String what) {
            threads.add(Thread.currentThread());
            asked.add(what);
            try {
                if (!answers.tryAcquire(20, TimeUnit.SECONDS)) {
                    throw new IllegalStateException("the test never let it answer");
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            if (broken != null) {
                throw broken;
            }
        }
    }

    private HubResolver resolver(int ttl, int negativeTtl, int size, Path hosts) {
        DnsPolicy policy = new DnsPolicy(ttl, negativeTtl, size, 2, Optional.ofNullable(hosts));
        return new HubResolver(server, policy, new HostsFile(policy.hosts(), clock::get), workers, clock::get);
    }

    private HubResolver resolver() {
        return resolver(30, 10, 100, null);
    }

    private static String ask(HubResolver resolver, String host) throws UnknownHostException {
        return resolver.lookupByName(host, V4).map(InetAddress::getHostAddress).toList().toString();
    }

    private static void until(BooleanSupplier happened) {
        long end = System.nanoTime() + 20 * SECOND;
        while (!happened.getAsBoolean()) {
            assertThat(System.nanoTime() - end).as("nanoseconds too long").isNegative();
            sleep(Duration.ofMillis(1));
        }
    }

    @Test
    void otherGreenletsRunDuringALookUp() {
        HubResolver resolver = resolver();
        Greenlet<String> lookUp = spawn(() -> ask(resolver, "slow.test"));
        int[] ticks = {0};
        Greenlet<Void> ticker = spawn(() -> {
            while (!lookUp.ready()) {
                ticks[0]++;
                sleep(Duration.ofMillis(1));
            }
        });
        until(() -> server.asked.size() == 1 && ticks[0] > 20);
        assertThat(lookUp.ready()).isFalse();

        server.answers.release();

        assertThat(lookUp.value()).isEqualTo("[10.0.0.1]");
        ticker.join();
        assertThat(server.threads).allMatch(thread -> thread.getName().startsWith("test-dns-") && thread.isDaemon());
    }

    @Test
    void theHubsOwnThreadLetsGreenletsRunDuringItsLookUp() throws Exception {
        HubResolver resolver = resolver();
        Greenlet<Void> lets = spawn(() -> {
            until(() -> server.asked.size() == 1);
            server.answers.release();
        });

        assertThat(ask(resolver, "slow.test")).isEqualTo("[10.0.0.1]");
        assertThat(lets.ready()).isTrue();
    }

    @Test
    void lookUpsOfOneNameAtTheSameTimeAreOne() {
        HubResolver resolver = resolver();
        List<Greenlet<String>> all = new ArrayList<>();
        int[] asking = {0};
        for (int i = 0; i < 50; i++) {
            all.add(spawn(() -> {
                asking[0]++;
                return ask(resolver, "same.test");
            }));
        }
        until(() -> server.asked.size() == 1 && asking[0] == 50);
        server.answers.release();

        joinAll(all);

        assertThat(all).allMatch(each -> each.value().equals("[10.0.0.1]"));
        assertThat(server.asked).containsExactly("same.test");
    }

    @Test
    void noMoreLookUpsThanThreadsGoOnAndAllAreAnswered() {
        HubResolver resolver = resolver();
        List<Greenlet<String>> all = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            int n = i;
            all.add(spawn(() -> ask(resolver, "host-" + n + ".test")));
        }
        until(() -> server.asked.size() == 2 && resolver.underWay() == 20);
        assertThat(workers.alive()).isEqualTo(2);
        server.answers.release(20);

        joinAll(all);

        assertThat(all).allMatch(Greenlet::successful);
        assertThat(server.asked).hasSize(20).doesNotHaveDuplicates();
    }

    @Test
    void anAnswerIsKeptForItsTimeAndNotLonger() {
        HubResolver resolver = resolver();
        server.answers.release(2);
        String first = spawn(() -> ask(resolver, "kept.test")).value();
        clock.addAndGet(30 * SECOND - 1);
        assertThat(spawn(() -> ask(resolver, "kept.test")).value()).isEqualTo(first);
        assertThat(server.asked).hasSize(1);

        clock.addAndGet(1);

        assertThat(spawn(() -> ask(resolver, "kept.test")).value()).isEqualTo("[10.0.0.2]");
        assertThat(server.asked).hasSize(2);
    }

    @Test
    void thatANameDoesNotExistIsKeptForItsOwnTime() {
        HubResolver resolver = resolver();
        server.answers.release(2);
        for (int i = 0; i < 2; i++) {
            Greenlet<?> lookUp = spawn(() -> assertThatThrownBy(() -> ask(resolver, "nosuch.test"))
                    .isInstanceOf(UnknownHostException.class)
                    .hasMessage("nosuch.test: Name or service not known"));
            lookUp.value();
        }
        assertThat(server.asked).hasSize(1);

        clock.addAndGet(10 * SECOND);

        spawn(() -> assertThatThrownBy(() -> ask(resolver, "nosuch.test")).isInstanceOf(UnknownHostException.class))
                .value();
        assertThat(server.asked).hasSize(2);
    }

    @Test
    void whatBreaksTheResolverIsThrownToAllAndNotKept() {
        HubResolver resolver = resolver();
        server.broken = new IllegalStateException("out of order");
        List<Greenlet<Void>> all = new ArrayList<>();
        int[] asking = {0};
        for (int i = 0; i < 3; i++) {
            all.add(spawn(() -> {
                asking[0]++;
                assertThatThrownBy(() -> ask(resolver, "any.test")).hasMessage("out of order");
            }));
        }
        until(() -> server.asked.size() == 1 && asking[0] == 3);
        server.answers.release(1);
        joinAll(all);
        assertThat(all).allMatch(Greenlet::successful);
        server.broken = null;
        server.answers.release(1);

        assertThat(spawn(() -> ask(resolver, "any.test")).value()).isEqualTo("[10.0.0.2]");
    }

    @Test
    void nothingIsKeptWhenTheTimeIsZeroAndTheOldestGoesWhenThereAreTooMany() {
        HubResolver never = resolver(0, 0, 100, null);
        HubResolver two = resolver(-1, -1, 2, null);
        server.answers.release(10);

        spawn(() -> ask(never, "a.test")).value();
        assertThat(never.kept()).isZero();
        for (String each : List.of("a.test", "b.test", "a.test", "c.test")) {
            spawn(() -> ask(two, each)).value();
        }
        clock.addAndGet(1_000_000 * SECOND);
        spawn(() -> ask(two, "a.test")).value();

        assertThat(two.kept()).isEqualTo(2);
        assertThat(server.asked).containsExactly("a.test", "a.test", "b.test", "c.test");
    }

    @Test
    void oneWhoIsKilledLeavesAndTheOthersGetTheirAnswer() {
        HubResolver resolver = resolver();
        Greenlet<String> killed = spawn(() -> ask(resolver, "slow.test"));
        Greenlet<String> stays = spawn(() -> ask(resolver, "slow.test"));
        until(() -> server.asked.size() == 1);

        killed.kill();

        assertThat(killed.exit()).isPresent();
        assertThat(stays.ready()).isFalse();
        server.answers.release();
        assertThat(stays.value()).isEqualTo("[10.0.0.1]");
    }

    @Test
    void aTimeoutEndsTheWaitAndTheAnswerIsKeptForTheNext() {
        HubResolver resolver = resolver();
        Greenlet<Void> late = spawn(() -> {
            assertThatThrownBy(() -> withTimeout(Duration.ofMillis(20), () -> ask(resolver, "slow.test")))
                    .isInstanceOf(TimeoutExpired.class).hasMessageContaining("the look-up of slow.test");
        });
        late.value();
        server.answers.release();
        until(() -> resolver.kept() == 1);

        assertThat(spawn(() -> ask(resolver, "slow.test")).value()).isEqualTo("[10.0.0.1]");
        assertThat(server.asked).hasSize(1);
    }

    @Test
    void aThreadWithoutAHubAsksTheBuiltInResolverItself() throws Exception {
        HubResolver resolver = resolver();
        server.answers.release();
        List<String> answer = new ArrayList<>();
        Thread outside = new Thread(() -> {
            try {
                answer.add(ask(resolver, "outside.test"));
            } catch (UnknownHostException e) {
                answer.add(e.toString());
            }
        });
        outside.start();
        outside.join();

        assertThat(answer).containsExactly("[10.0.0.1]");
        assertThat(server.threads).containsExactly(outside);
        assertThat(resolver.kept()).isZero();
    }

    @Test
    void namesOfTheHostsFileAreAnsweredWithoutAThread(@TempDir Path folder) throws Exception {
        Path hosts = folder.resolve("hosts");
        Files.writeString(hosts, """
                # a comment
                192.168.7.1  Printer printer.local # by the window
                fe80::7      printer
                not-an-address foo
                10.1.1.1
                """);
        HubResolver resolver = resolver(30, 10, 100, hosts);
        Greenlet<Void> asks = spawn(() -> {
            assertThat(resolver.lookupByName("printer", V4)).extracting(InetAddress::getHostAddress)
                    .containsExactly("192.168.7.1");
            assertThat(resolver.lookupByName("PRINTER", BOTH)).extracting(InetAddress::getHostAddress)
                    .containsExactly("fe80:0:0:0:0:0:0:7", "192.168.7.1");
            assertThat(resolver.lookupByAddress(new byte[] {(byte) 192, (byte) 168, 7, 1})).isEqualTo("Printer");
            assertThat(ask(resolver, "localhost")).isEqualTo("[127.0.0.1]");
        });
        asks.value();

        Files.writeString(hosts, "192.168.7.22 printer\n");
        Files.setLastModifiedTime(hosts, FileTime.fromMillis(12_345_000));
        clock.addAndGet(2 * SECOND);

        assertThat(spawn(() -> ask(resolver, "printer")).value()).isEqualTo("[192.168.7.22]");
        assertThat(server.asked).isEmpty();
        assertThat(workers.alive()).isZero();
    }

    @Test
    void addressesAreLookedUpToo() {
        HubResolver resolver = resolver();
        server.answers.release();
        byte[] address = {10, 0, 0, 9};
        for (int i = 0; i < 2; i++) {
            assertThat(spawn(() -> resolver.lookupByAddress(address)).value()).isEqualTo("host-9");
        }
        assertThat(server.asked).hasSize(1);
    }

    @Test
    void idleThreadsEnd() {
        HubResolver resolver = resolver();
        server.answers.release();
        spawn(() -> ask(resolver, "any.test")).value();

        until(() -> workers.alive() == 0);

        server.answers.release();
        assertThat(spawn(() -> ask(resolver, "another.test")).value()).isEqualTo("[10.0.0.2]");
    }

    /** With the JDK's own cache in front, whose lock the first greenlet would hold while it waits. */
    @Test
    @SuppressWarnings("AddressSelection") // what it warns of is what is tested
    void theHubsThreadAndItsGreenletsCanLookUpOneNameThroughTheJdk() throws Exception {
        Hub.current();
        InetAddress.getByName("localhost"); // makes the JDK load its resolver
        HubResolver resolver = HubResolverProvider.active();
        assertThat(resolver).as("the JDK's resolver is ours").isNotNull();
        InetAddressResolver before = resolver.replaceBuiltin(server);
        try {
            Greenlet<String> first = spawn(() -> InetAddress.getByName("one.loomlet.test").toString());
            until(() -> server.asked.size() == 1);
            spawn(() -> {
                sleep(Duration.ofMillis(20));
                server.answers.release();
            });

            assertThat(InetAddress.getByName("one.loomlet.test")).hasToString("one.loomlet.test/10.0.0.1");
            assertThat(first.value()).isEqualTo("one.loomlet.test/10.0.0.1");
            assertThat(server.asked).hasSize(1);
            assertThat(NameCache.knows("one.loomlet.test")).as("kept by the JDK once more").isFalse();

            server.answers.release();
            Greenlet<Void> unknown = spawn(() -> {
                assertThatThrownBy(() -> InetAddress.getAllByName("nosuch.loomlet.test"))
                        .isInstanceOf(UnknownHostException.class).hasMessageContaining("nosuch.loomlet.test");
            });
            unknown.value();

            Greenlet<InetAddress> killed = spawn(() -> InetAddress.getByName("two.loomlet.test"));
            until(() -> server.asked.size() == 3);
            killed.kill();
            assertThat(killed.exit()).isPresent();
            assertThat(NameCache.knows("two.loomlet.test")).isFalse();
            server.answers.release();
            until(() -> resolver.underWay() == 0);
        } finally {
            resolver.replaceBuiltin(before);
        }
    }
}
