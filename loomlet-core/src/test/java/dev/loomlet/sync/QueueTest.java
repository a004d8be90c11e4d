package dev.loomlet.sync;

import static dev.loomlet.Loomlet.idle;
import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class QueueTest extends HubTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private final List<Object> seen = new ArrayList<>();

    @Test
    void givesOutFirstWhatCameFirst() {
        Queue<Integer> queue = new Queue<>();
        for (int i = 0; i < 5; i++) {
            queue.put(i);
        }
        assertThat(queue.size()).isEqualTo(5);
        assertThat(queue.peek()).isZero();
        assertThat(queue.toList()).containsExactly(0, 1, 2, 3, 4);
        for (int i = 0; i < 5; i++) {
            assertThat(queue.take()).isEqualTo(i);
        }
        assertThat(queue.isEmpty()).isTrue();
        assertThat(queue.poll()).isEmpty();
        assertThat(queue.poll(Duration.ofMillis(2))).isEmpty();
        assertThat(queue.peek(Duration.ZERO)).isEmpty();
    }

    @Test
    void aLifoQueueGivesOutFirstWhatCameLast() {
        LifoQueue<Integer> queue = new LifoQueue<>();
        queue.put(1);
        queue.put(2);
        assertThat(queue.peek()).isEqualTo(2);
        assertThat(queue.take()).isEqualTo(2);
        queue.put(3);
        assertThat(queue.toList()).containsExactly(3, 1);
        assertThat(queue.take()).isEqualTo(3);
        assertThat(queue.take()).isEqualTo(1);
    }

    @Test
    void aFullOneMakesPuttersWaitInTheirOrder() {
        Queue<Integer> queue = new Queue<>(1);
        queue.put(0);
        assertThat(queue.isFull()).isTrue();
        assertThat(queue.offer(9)).isFalse();
        assertThat(queue.offer(9, Duration.ofMillis(2))).isFalse();
        List<Greenlet<Void>> putters = new ArrayList<>();
        for (int i = 1; i < 4; i++) {
            int n = i;
            putters.add(spawn(() -> {
                queue.put(n);
                seen.add(n);
            }));
        }
        idle();
        assertThat(queue.waitingToPut()).isEqualTo(3);
        for (int i = 0; i < 4; i++) {
            assertThat(queue.take()).isEqualTo(i);
        }
        joinAll(putters);
        assertThat(seen).containsExactly(1, 2, 3);
    }

    @Test
    void takersAreServedInTheirOrder() {
        Queue<String> queue = new Queue<>();
        List<Greenlet<Void>> takers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int n = i;
            takers.add(spawn(() -> {
                seen.add(n + queue.take());
            }));
        }
        idle();
        queue.put("a");
        queue.put("b");
        queue.put("c");
        joinAll(takers);
        assertThat(seen).containsExactly("0a", "1b", "2c");
    }

    @Test
    void anItemHandedToOneCannotBeTakenByAnother() {
        Queue<String> queue = new Queue<>();
        Greenlet<String> taker = spawn(queue::take);
        idle();
        queue.put("a");
        assertThat(queue.poll()).isEmpty();
        assertThat(taker.value()).isEqualTo("a");
    }

    /** Dead getters take nothing. */
    @Test
    void thoseWhoTimedOutOrWereKilledTakeNothing() {
        Queue<String> queue = new Queue<>();
        Greenlet<?> late = spawn(() -> queue.poll(Duration.ofMillis(1)));
        Greenlet<String> killed = spawn(queue::take);
        Greenlet<String> alive = spawn(queue::take);
        idle();
        late.join();
        killed.kill(new dev.loomlet.GreenletExit("test"), false, Duration.ZERO);
        queue.put("a");
        assertThat(alive.value()).isEqualTo("a");
        killed.join();
        assertThat(queue.isEmpty()).isTrue();
        assertThat(queue.waitingToTake()).isZero();
    }

    @Test
    void oneKilledAfterItWasServedReturnsTheItemFirst() {
        Queue<String> queue = new Queue<>();
        Greenlet<Void> taker = spawn(() -> {
            seen.add(queue.take());
            sleep(LONG);
            seen.add("not reached");
        });
        idle();
        queue.put("a");
        taker.kill();
        assertThat(seen).containsExactly("a");
    }

    @Test
    void peekersSeeWhatTheTakerGets() {
        Queue<String> queue = new Queue<>();
        Greenlet<String> peeker = spawn(() -> queue.peek());
        Greenlet<String> taker = spawn(queue::take);
        Greenlet<String> later = spawn(() -> queue.peek());
        idle();
        queue.put("a");
        assertThat(peeker.value()).isEqualTo("a");
        assertThat(taker.value()).isEqualTo("a");
        assertThat(later.ready()).isFalse();
        queue.put("b");
        assertThat(later.value()).isEqualTo("b");
        assertThat(queue.take()).isEqualTo("b");
    }

    @Test
    void aRendezvousHoldsNothing() {
        Queue<String> queue = Queue.rendezvous();
        assertThat(queue.offer("nobody there")).isFalse();
        Greenlet<Void> putter = spawn(() -> {
            queue.put("a");
            seen.add("put");
        });
        idle();
        assertThat(seen).isEmpty();
        assertThat(queue.size()).isZero();
        assertThat(queue.peek(LONG)).contains("a");
        assertThat(queue.take()).isEqualTo("a");
        putter.join();
        Greenlet<String> taker = spawn(queue::take);
        idle();
        assertThat(queue.offer("b")).isTrue();
        assertThat(taker.value()).isEqualTo("b");
    }

    @Test
    void aKilledPutterTakesItsItemWithIt() {
        Queue<Integer> queue = new Queue<>(1);
        queue.put(1);
        Greenlet<Void> killed = spawn(() -> queue.put(2));
        Greenlet<Void> alive = spawn(() -> queue.put(3));
        idle();
        killed.kill();
        assertThat(queue.take()).isEqualTo(1);
        assertThat(queue.take()).isEqualTo(3);
        alive.join();
        assertThat(queue.isEmpty()).isTrue();
    }

    @Test
    void moreCapacityLetsPuttersIn() {
        Queue<Integer> queue = new Queue<>(1);
        queue.put(1);
        Greenlet<Void> two = spawn(() -> queue.put(2));
        Greenlet<Void> three = spawn(() -> queue.put(3));
        idle();
        queue.capacity(3);
        joinAll(two, three);
        assertThat(queue.toList()).containsExactly(1, 2, 3);
        queue.capacity(1);
        assertThat(queue.isFull()).isTrue();
        assertThat(queue.size()).isEqualTo(3);
    }

    @Test
    void badCapacitiesAndNullsAreRefused() {
        assertThatThrownBy(() -> new Queue<>(0)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("rendezvous");
        assertThatThrownBy(() -> new LifoQueue<>(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Queue<>(1).capacity(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void afterShutDownWhatIsLeftCanBeTaken() {
        Queue<Integer> queue = new Queue<>(1);
        queue.put(1);
        Greenlet<?> putter = spawn(() -> assertThatThrownBy(() -> queue.put(2)).isInstanceOf(ShutDown.class));
        idle();
        queue.shutDown();
        putter.value();
        assertThat(queue.isShutDown()).isTrue();
        assertThatThrownBy(() -> queue.put(3)).isInstanceOf(ShutDown.class).hasMessageContaining("Queue");
        assertThat(queue.take()).isEqualTo(1);
        assertThatThrownBy(queue::take).isInstanceOf(ShutDown.class);
        assertThatThrownBy(queue::poll).isInstanceOf(ShutDown.class);
        assertThatThrownBy(() -> queue.peek(LONG)).isInstanceOf(ShutDown.class);
    }

    @Test
    void shutDownWakesThoseWhoWaitForWhatWillNeverCome() {
        Queue<Integer> queue = new Queue<>();
        Greenlet<?> taker = spawn(() -> assertThatThrownBy(queue::take).isInstanceOf(ShutDown.class));
        Greenlet<?> peeker = spawn(() -> assertThatThrownBy(queue::peek).isInstanceOf(ShutDown.class));
        idle();
        queue.shutDown();
        taker.value();
        peeker.value();
    }

    @Test
    void shutDownNowGivesBackWhatWasLeft() {
        JoinableQueue<Integer> queue = new JoinableQueue<>(2);
        queue.put(1);
        queue.put(2);
        Greenlet<Boolean> join = spawn(() -> queue.join(LONG));
        idle();
        assertThat(queue.shutDownNow()).containsExactly(1, 2);
        assertThatThrownBy(queue::take).isInstanceOf(ShutDown.class);
        assertThat(join.value()).isTrue();
    }

    @Test
    void iterationEndsWhenItIsShutDownAndEmpty() {
        Queue<Integer> queue = new Queue<>();
        Greenlet<Void> reader = spawn(() -> {
            for (int each : queue) {
                seen.add(each);
            }
            seen.add("end");
        });
        queue.put(1);
        idle();
        queue.put(2);
        queue.put(3);
        queue.shutDown();
        reader.value();
        assertThat(seen).containsExactly(1, 2, 3, "end");
    }

    @Test
    void joinWaitsUntilAllIsDone() {
        JoinableQueue<Integer> queue = new JoinableQueue<>();
        assertThat(queue.join(Duration.ZERO)).isTrue();
        queue.put(1);
        queue.put(2);
        Greenlet<Void> worker = spawn(() -> {
            for (int i = 0; i < 2; i++) {
                queue.take();
                sleep(Duration.ofMillis(1));
                seen.add("done");
                queue.taskDone();
            }
        });
        assertThat(queue.join(Duration.ZERO)).isFalse();
        queue.join();
        assertThat(seen).containsExactly("done", "done");
        worker.value();
        assertThatThrownBy(queue::taskDone).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void anItemHandedOverCountsAsUnfinished() {
        JoinableQueue<Integer> queue = new JoinableQueue<>();
        Greenlet<Integer> taker = spawn(queue::take);
        idle();
        queue.put(1);
        assertThat(queue.unfinished()).isEqualTo(1);
        taker.join();
        queue.taskDone();
        assertThat(queue.join(Duration.ZERO)).isTrue();
    }

    @Test
    void aPriorityQueueGivesOutTheSmallestFirst() {
        PriorityQueue<Integer> queue = new PriorityQueue<>();
        for (int each : new int[] {3, 1, 2, 1}) {
            queue.put(each);
        }
        assertThat(queue.peek()).isEqualTo(1);
        assertThat(queue.size()).isEqualTo(4);
        assertThat(queue.toList()).containsExactly(1, 1, 2, 3);
        assertThat(List.of(queue.take(), queue.take(), queue.take(), queue.take())).containsExactly(1, 1, 2, 3);
        assertThat(queue.poll()).isEmpty();
    }

    @Test
    void aPriorityQueueGivesEqualItemsOutInTheirOrder() {
        PriorityQueue<String> queue = new PriorityQueue<>(java.util.Comparator.comparingInt(String::length));
        for (String each : List.of("bb", "a", "cc", "b")) {
            queue.put(each);
        }
        assertThat(List.of(queue.take(), queue.take(), queue.take(), queue.take())).containsExactly("a", "b", "bb",
                "cc");
    }

    @Test
    void aFullPriorityQueueMakesPuttersWait() {
        PriorityQueue<Integer> queue = new PriorityQueue<>(1);
        queue.put(5);
        assertThat(queue.offer(1)).isFalse();
        Greenlet<Void> putter = spawn(() -> queue.put(1));
        idle();
        assertThat(putter.ready()).isFalse();
        assertThat(queue.take()).isEqualTo(5);
        assertThat(queue.take()).isEqualTo(1);
        putter.value();
        Greenlet<Integer> taker = spawn(queue::take);
        idle();
        queue.put(7);
        assertThat(taker.value()).isEqualTo(7);
        assertThat(queue.isEmpty()).isTrue();
        queue.put(1);
        assertThat(queue.shutDownNow()).containsExactly(1);
    }

    @Test
    void anErrorOfAComparatorIsThePuttersOwnAndKeepsNoPlace() {
        PriorityQueue<Object> queue = new PriorityQueue<>(2);
        queue.put("a");
        assertThatThrownBy(() -> queue.put(1)).isInstanceOf(ClassCastException.class);
        assertThat(queue.offer("b")).isTrue();
        assertThat(queue.take()).isEqualTo("a");
        assertThat(queue.take()).isEqualTo("b");
    }
}
