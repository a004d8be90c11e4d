package dev.loomlet.sync;

import static dev.loomlet.Loomlet.after;
import static dev.loomlet.Loomlet.idle;
import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.select;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.withTimeout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Selected;
import dev.loomlet.Selected.Closed;
import dev.loomlet.Selected.Elapsed;
import dev.loomlet.Selected.Ready;
import dev.loomlet.Selected.Received;
import dev.loomlet.Selected.Sent;
import dev.loomlet.TimeoutExpired;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SelectTest extends HubTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofMillis(3);
    private final Channel<String> channel = new Channel<>();
    private final Queue<Integer> queue = new Queue<>();
    private final Event event = new Event();

    @Test
    void readsAsASwitch() {
        queue.put(7);
        String what = switch (select(channel.receiving(), queue.taking(), event.waiting(), after(LONG))) {
            case Received(String word) -> word;
            case Received(Integer number) -> "number " + number;
            case Ready _ -> "ready";
            case Elapsed _ -> "late";
            case Selected other -> throw new AssertionError(other);
        };
        assertThat(what).isEqualTo("number 7");
    }

    @Test
    void readsAsLambdas() {
        event.set();
        String what = select(
                channel.receiving(word -> word),
                queue.taking(number -> "number " + number),
                event.waiting().then(_ -> "event"),
                after(LONG).then(_ -> "late"));
        assertThat(what).isEqualTo("event");
    }

    @Test
    void waitsForTheFirst() {
        Greenlet<Void> sender = spawn(() -> {
            sleep(SHORT);
            channel.send("hello");
        });
        assertThat(select(queue.taking(), channel.receiving(), event.waiting())).isEqualTo(new Received<>("hello"));
        sender.value();
        nothingIsLeftBehind();
    }

    @Test
    void waitsForTheEndOfAGreenlet() {
        Greenlet<String> task = spawn(() -> {
            sleep(SHORT);
            return "result";
        });
        assertThat(select(channel.receiving(), task.ended())).isEqualTo(new Ready(task));
        assertThat(select(channel.receiving(), task.ended())).isEqualTo(new Ready(task));
        nothingIsLeftBehind();
    }

    @Test
    void endsWhenNothingComesInTime() {
        assertThat(select(channel.receiving(), queue.taking(), after(SHORT))).isEqualTo(new Elapsed(SHORT));
        assertThat(select(channel.receiving(), after(Duration.ZERO))).isEqualTo(new Elapsed(Duration.ZERO));
        nothingIsLeftBehind();
    }

    @Test
    void sends() {
        Greenlet<String> receiver = spawn(channel::receive);
        idle();
        assertThat(select(channel.sending("a"), event.waiting())).isEqualTo(new Sent<>("a"));
        assertThat(receiver.value()).isEqualTo("a");

        Greenlet<Selected> sender = spawn(() -> select(channel.sending("b"), event.waiting()));
        idle();
        assertThat(channel.receive()).isEqualTo("b");
        assertThat(sender.value()).isEqualTo(new Sent<>("b"));
    }

    @Test
    void twoSelectsMeet() {
        Greenlet<Selected> sender = spawn(() -> select(channel.sending("a"), event.waiting()));
        Greenlet<Selected> receiver = spawn(() -> select(event.waiting(), channel.receiving()));
        joinAll(sender, receiver);
        assertThat(sender.value()).isEqualTo(new Sent<>("a"));
        assertThat(receiver.value()).isEqualTo(new Received<>("a"));
        nothingIsLeftBehind();
    }

    @Test
    void aSelectDoesNotMeetItself() {
        assertThat(select(channel.sending("a"), channel.receiving(), after(SHORT))).isInstanceOf(Elapsed.class);
    }

    @Test
    void putsIntoAQueueThatIsFullUntilThereIsRoom() {
        Queue<Integer> small = new Queue<>(1);
        small.put(1);
        Greenlet<Selected> putter = spawn(() -> select(small.putting(2), event.waiting()));
        idle();
        assertThat(putter.ready()).isFalse();
        assertThat(small.take()).isEqualTo(1);
        assertThat(putter.value()).isEqualTo(new Sent<>(2));
        assertThat(small.take()).isEqualTo(2);
    }

    @Test
    void worksWithAPriorityQueue() {
        PriorityQueue<Integer> sorted = new PriorityQueue<>(2);
        assertThat(select(sorted.putting(2), event.waiting())).isEqualTo(new Sent<>(2));
        assertThat(select(sorted.putting(1), event.waiting())).isEqualTo(new Sent<>(1));
        Greenlet<Selected> putter = spawn(() -> select(sorted.putting(0), event.waiting()));
        idle();
        assertThat(select(sorted.taking(), event.waiting())).isEqualTo(new Received<>(1));
        putter.value();
        assertThat(sorted.take()).isZero();
        assertThat(sorted.take()).isEqualTo(2);
        Greenlet<Selected> taker = spawn(() -> select(event.waiting(), sorted.taking()));
        idle();
        sorted.put(9);
        assertThat(taker.value()).isEqualTo(new Received<>(9));
    }

    @Test
    void saysThatAChannelIsClosed() {
        Greenlet<Selected> waiting = spawn(() -> select(channel.receiving(), event.waiting()));
        idle();
        channel.close();
        assertThat(waiting.value()).isEqualTo(new Closed(channel));
        assertThat(select(channel.sending("a"), event.waiting())).isEqualTo(new Closed(channel));
        assertThatThrownBy(() -> select(channel.receiving(word -> word), event.waiting().then(_ -> "")))
                .isInstanceOf(ShutDown.class);
    }

    @Test
    void isFairWhenSeveralAreReady() {
        int[] counts = new int[3];
        Event other = new Event();
        event.set();
        other.set();
        Queue<Integer> full = new Queue<>();
        for (int i = 0; i < 3000; i++) {
            full.offer(i);
            int index = select(
                    event.waiting().then(_ -> 0), other.waiting().then(_ -> 1), full.taking(_ -> 2));
            counts[index]++;
        }
        assertThat(counts[0]).isBetween(800, 1200);
        assertThat(counts[1]).isBetween(800, 1200);
        assertThat(counts[2]).isBetween(800, 1200);
    }

    @Test
    void aKillAndATimeoutLeaveNothingBehind() {
        Greenlet<Selected> killed = spawn(() -> select(queue.taking(), event.waiting()));
        Greenlet<Selected> late = spawn(
                () -> withTimeout(SHORT, () -> select(channel.sending("x"), queue.taking(), event.waiting())));
        late.hub().onError((_, _) -> {});
        idle();
        killed.kill();
        late.join();
        assertThat(late.exception()).containsInstanceOf(TimeoutExpired.class);
        nothingIsLeftBehind();
        queue.put(1);
        assertThat(queue.size()).isEqualTo(1);
    }

    @Test
    void takesFromOneOnlyWhenSeveralComeAtOnce() {
        Queue<Integer> second = new Queue<>();
        Greenlet<Selected> taker = spawn(() -> select(queue.taking(), second.taking()));
        idle();
        queue.put(1);
        second.put(2);
        assertThat(taker.value()).isEqualTo(new Received<>(1));
        assertThat(second.take()).isEqualTo(2);
    }

    @Test
    void refusesToSelectFromNothing() {
        assertThatThrownBy(() -> select()).isInstanceOf(IllegalArgumentException.class);
    }

    /** Two hubs and a foreign thread, sending and receiving on two channels at once: everything arrives exactly once. */
    @Test
    void acrossHubsEverythingArrivesOnce() throws Exception {
        int each = 2_000;
        Channel<Integer> one = new Channel<>();
        Channel<Integer> two = new Channel<>();
        List<Integer> got = java.util.Collections.synchronizedList(new ArrayList<>());
        try (Hub left = Hub.start("left"); Hub right = Hub.start("right")) {
            List<Greenlet<Void>> senders = new ArrayList<>();
            for (int s = 0; s < 2; s++) {
                int base = s * each;
                senders.add((s == 0 ? left : right).spawn(() -> {
                    for (int i = 0; i < each; i++) {
                        select(one.sending(base + i), two.sending(base + i));
                    }
                }));
            }
            List<Greenlet<Void>> receivers = new ArrayList<>();
            for (Hub hub : List.of(left, right)) {
                receivers.add(hub.spawn(() -> {
                    while (!(select(one.receiving(), two.receiving()) instanceof Closed)) {
                        got.add(0);
                    }
                }));
            }
            Thread foreign = Thread.ofPlatform().start(() -> {
                while (select(one.receiving(), two.receiving()) instanceof Received<?>) {
                    got.add(0);
                }
            });
            joinAll(senders, LONG);
            assertThat(senders).allMatch(Greenlet::successful);
            one.close();
            two.close();
            joinAll(receivers, LONG);
            foreign.join();
            assertThat(got).hasSize(2 * each);
        }
    }

    private void nothingIsLeftBehind() {
        assertThat(channel.senders()).isZero();
        assertThat(channel.receivers()).isZero();
        assertThat(queue.waitingToTake()).isZero();
        assertThat(event.waiters()).isZero();
    }

    private static String choices() {
        StringBuilder choices = new StringBuilder();
        Event one = new Event();
        Event other = new Event();
        one.set();
        other.set();
        for (int i = 0; i < 200; i++) {
            String choice = select(one.waiting().then(_ -> "1"), other.waiting().then(_ -> "2"));
            choices.append(choice);
        }
        Hub.current().close();
        return choices.toString();
    }

    @Test
    void withASeedTheChoicesOfAHubAreTheSameEachTime() {
        String name = "loomlet.select.seed";
        String before = System.getProperty(name);
        try {
            System.setProperty(name, "42");
            Hub.current();
            String first = choices();
            Hub.current();
            String second = choices();
            System.setProperty(name, "43");
            Hub.current();
            String other = choices();
            assertThat(first).isEqualTo(second).contains("1", "2").isNotEqualTo(other);
        } finally {
            if (before == null) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, before);
            }
        }
    }
}
