package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.GreenletExit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Random families of coroutines that switch, throw, end and exchange parents, beside a model of the rules that says who gets
 * what: the dead pass on, the unstarted are started by a value and ended by an exception, an exit becomes a value.
 */
@ExtendWith(EndLeftovers.class)
class RoutesTest {
    private static final int PROGRAMS = 60;
    private static final int STEPS = 200;

    private static final class Intended extends RuntimeException {
        private static final long serialVersionUID = 1;

        Intended(int number) {
            super("intended " + number, null, false, false);
        }
    }

    private enum State {
        NEW, STARTED, DEAD
    }

    private static final class Node {
        final Coroutine<Object> coroutine;
        @Nullable Node parent;
        State state;

        Node(Coroutine<Object> coroutine, @Nullable Node parent, State state) {
            this.coroutine = coroutine;
            this.parent = parent;
            this.state = state;
        }
    }

    private static final class Program {
        final Random random;
        final List<Node> nodes = new ArrayList<>();
        int stepsLeft = STEPS;
        int numbers;

        /** What the model says: who runs, who ran before, and what the one that runs was sent. */
        Node running;
        Node before;
        @Nullable Object value;
        @Nullable Throwable thrown;
        @Nullable Throwable wrong;

        Program(long seed) {
            random = new Random(seed);
            running = new Node(Coroutine.main(), null, State.STARTED);
            before = running;
            nodes.add(running);
        }

        void play() {
            Coroutine.trace(this::told);
            try {
                while (stepsLeft > 0 && wrong == null) {
                    step(nodes.getFirst());
                }
            } finally {
                Coroutine.untrace();
            }
            for (Node each : nodes) {
                check(each.coroutine.dead() == (each.state == State.DEAD),
                        () -> each.coroutine + " is not " + each.state);
            }
        }

        private void told(Tracer.Event event, Coroutine<?> origin, Coroutine<?> target) {
            check((Object) origin == before.coroutine, () -> "told of " + origin + " instead of " + before.coroutine);
            check((Object) target == running.coroutine, () -> "told of " + target + " instead of " + running.coroutine);
            check(event == (thrown == null ? Tracer.Event.SWITCH : Tracer.Event.THROW), () -> "told of a " + event);
        }

        private void step(Node me) {
            stepsLeft--;
            Node other = nodes.get(random.nextInt(nodes.size()));
            switch (random.nextInt(8)) {
                case 0, 1 -> create(me);
                case 2 -> exchange(other, nodes.get(random.nextInt(nodes.size())));
                case 3 -> {
                    Throwable failure = random.nextBoolean() ? new GreenletExit("sent") : new Intended(++numbers);
                    leave(me, other, null, failure);
                    arrive(me, () -> other.coroutine.throwInto(failure));
                }
                default -> {
                    Integer number = ++numbers;
                    leave(me, other, number, null);
                    arrive(me, () -> other.coroutine.switchTo(number));
                }
            }
        }

        private interface Switch {
            @Nullable
            Object make();
        }

        /** Makes a switch of {@code me}'s, and compares what comes back with what the model says. */
        private void arrive(Node me, Switch made) {
            Object got = null;
            Throwable failure = null;
            try {
                got = made.make();
            } catch (Intended | GreenletExit e) {
                failure = e;
            }
            arrived(me, got, failure);
        }

        private void arrived(Node me, @Nullable Object got, @Nullable Throwable failure) {
            check(running == me, () -> me.coroutine + " runs instead of " + running.coroutine);
            check((Object) Coroutine.current() == me.coroutine, () -> "current is " + Coroutine.current());
            check(got == value && failure == thrown,
                    () -> me.coroutine + " got " + got + ", " + failure + " instead of " + value + ", " + thrown);
        }

        private void create(Node parent) {
            Node[] node = new Node[1];
            node[0] = new Node(Coroutine.returning((Object first) -> body(node[0], first)), parent, State.NEW);
            nodes.add(node[0]);
        }

        private @Nullable Object body(Node me, Object first) throws Exception {
            arrived(me, first, null);
            for (int i = random.nextInt(6); i > 0 && stepsLeft > 0 && wrong == null; i--) {
                step(me);
            }
            Object result = null;
            Throwable failure = null;
            switch (random.nextInt(4)) {
                case 0 -> failure = new Intended(++numbers);
                case 1 -> failure = new GreenletExit("own");
                default -> result = ++numbers;
            }
            me.state = State.DEAD;
            Node parent = me.parent;
            if (failure instanceof GreenletExit) {
                leave(me, parent == null ? nodes.getFirst() : parent, failure, null);
            } else {
                leave(me, parent == null ? nodes.getFirst() : parent, result, failure);
            }
            if (failure != null) {
                throw Strand.sneak(failure);
            }
            return result;
        }

        private void exchange(Node child, Node parent) {
            boolean refused = child == nodes.getFirst();
            for (Node each = parent; each != null; each = each.parent) {
                refused |= each == child;
            }
            boolean cycle = refused;
            try {
                child.coroutine.parent(parent.coroutine);
                check(!cycle, () -> parent.coroutine + " became the parent of " + child.coroutine);
                child.parent = parent;
            } catch (IllegalArgumentException e) {
                check(cycle, e::toString);
            }
        }

        /** The model's own switch. */
        private void leave(Node from, Node to, @Nullable Object sent, @Nullable Throwable failure) {
            Node target = to;
            Object arriving = sent;
            Throwable throwing = failure;
            while (target.state != State.STARTED && !(target.state == State.NEW && throwing == null)) {
                target.state = State.DEAD;
                if (throwing instanceof GreenletExit) {
                    arriving = throwing;
                    throwing = null;
                }
                target = target.parent == null ? nodes.getFirst() : target.parent;
            }
            target.state = State.STARTED;
            before = from;
            running = target;
            value = arriving;
            thrown = throwing;
        }

        private void check(boolean right, Supplier<String> message) {
            if (!right && wrong == null) {
                wrong = new AssertionError(message.get());
                stepsLeft = 0;
            }
        }
    }

    @Test
    void everybodyGetsWhatTheRulesSay() {
        var seeds = new Random();
        for (int i = 0; i < PROGRAMS; i++) {
            long seed = seeds.nextLong();
            var program = new Program(seed);
            program.play();
            assertThat(program.wrong).as("seed " + seed).isNull();
            if (!Suspendable.NATIVE) {
                HandOff.abandonAll();
            }
        }
    }
}
