package dev.loomlet.sync;

import static dev.loomlet.Loomlet.idle;
import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.spawn;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChannelTest extends HubTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private final Channel<Integer> channel = new Channel<>();
    private final List<Object> seen = new ArrayList<>();

    @Test
    void holdsNothing() {
        assertThat(channel.trySend(1)).isFalse();
        assertThat(channel.trySend(1, Duration.ofMillis(2))).isFalse();
        assertThat(channel.tryReceive()).isEmpty();
        assertThat(channel.tryReceive(Duration.ofMillis(2))).isEmpty();
        assertThat(channel.senders()).isZero();
        assertThat(channel.receivers()).isZero();
    }

    @Test
    void theReceiverGoesOnFirstWhenTheSenderWaited() {
        Greenlet<Void> sender = spawn(() -> {
            channel.send(1);
            seen.add("sent 1");
            channel.send(2);
            seen.add("sent 2");
        });
        Greenlet<Void> receiver = spawn(() -> {
            seen.add("got " + channel.receive());
            seen.add("got " + channel.receive());
        });
        joinAll(sender, receiver);
        assertThat(seen).containsExactly("got 1", "sent 1", "got 2", "sent 2");
    }

    @Test
    void theReceiverGoesOnFirstWhenItWaited() {
        Greenlet<Void> receiver = spawn(() -> {
            seen.add("got " + channel.receive());
        });
        idle();
        channel.send(1);
        seen.add("sent 1");
        receiver.join();
        assertThat(seen).containsExactly("got 1", "sent 1");
    }

    @Test
    void theReceiverGoesOnFirstBetweenGreenlets() {
        Greenlet<Void> receiver = spawn(() -> {
            seen.add("got " + channel.receive());
        });
        Greenlet<Void> sender = spawn(() -> {
            channel.send(1);
            seen.add("sent 1");
        });
        joinAll(sender, receiver);
        assertThat(seen).containsExactly("got 1", "sent 1");
    }

    @Test
    void sendersAndReceiversAreServedInTheirOrder() {
        List<Greenlet<Void>> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int n = i;
            all.add(spawn(() -> channel.send(n)));
        }
        idle();
        assertThat(channel.senders()).isEqualTo(3);
        for (int i = 0; i < 3; i++) {
            assertThat(channel.receive()).isEqualTo(i);
        }
        joinAll(all);
    }

    @Test
    void aKilledSenderTakesItsItemWithIt() {
        Greenlet<Void> killed = spawn(() -> channel.send(1));
        Greenlet<Void> alive = spawn(() -> channel.send(2));
        idle();
        killed.kill();
        assertThat(channel.receive()).isEqualTo(2);
        alive.value();
    }

    @Test
    void aKilledReceiverReceivesNothing() {
        Greenlet<Integer> killed = spawn(channel::receive);
        Greenlet<Integer> alive = spawn(channel::receive);
        idle();
        killed.kill();
        channel.send(1);
        assertThat(alive.value()).isEqualTo(1);
    }

    @Test
    void closingEndsEveryWait() {
        Greenlet<?> sender = spawn(() -> assertThatThrownBy(() -> channel.send(1)).isInstanceOf(ShutDown.class));
        idle();
        channel.close();
        channel.close();
        sender.value();
        assertThat(channel.isClosed()).isTrue();
        assertThatThrownBy(channel::receive).isInstanceOf(ShutDown.class);
        assertThatThrownBy(() -> channel.trySend(1)).isInstanceOf(ShutDown.class);
    }

    @Test
    void iterationEndsWhenItIsClosed() {
        Greenlet<Void> reader = spawn(() -> {
            for (int each : channel) {
                seen.add(each);
            }
            seen.add("end");
        });
        channel.send(1);
        channel.send(2);
        channel.close();
        reader.value();
        assertThat(seen).containsExactly(1, 2, "end");
    }

    @Test
    void joinsThreadsOfAnyKind() throws Exception {
        Thread receiver = Thread.ofVirtual().start(() -> seen.add(channel.receive()));
        assertThat(channel.trySend(1, LONG)).isTrue();
        receiver.join();
        assertThat(seen).containsExactly(1);
    }
}
