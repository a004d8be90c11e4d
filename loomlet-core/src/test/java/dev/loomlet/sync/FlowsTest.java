package dev.loomlet.sync;

import static dev.loomlet.Loomlet.after;
import static dev.loomlet.Loomlet.idle;
import static dev.loomlet.Loomlet.select;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Hub;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.reactivestreams.tck.TestEnvironment;
import org.reactivestreams.tck.flow.FlowPublisherVerification;
import org.reactivestreams.tck.flow.FlowSubscriberBlackboxVerification;
import org.testng.ITestResult;
import org.testng.TestListenerAdapter;
import org.testng.TestNG;

class FlowsTest extends HubTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    /** Writes down what it is told, and asks for nothing by itself. */
    private static final class Notes implements Flow.Subscriber<Integer> {
        final List<Object> told = new ArrayList<>();
        Flow.@Nullable Subscription subscription;

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            this.subscription = subscription;
        }

        Flow.Subscription subscription() {
            return java.util.Objects.requireNonNull(subscription);
        }

        @Override
        public void onNext(Integer item) {
            told.add(item);
        }

        @Override
        public void onError(Throwable error) {
            told.add(error.getClass().getSimpleName());
        }

        @Override
        public void onComplete() {
            told.add("complete");
        }
    }

    // --- to subscribers

    @Test
    void anItemIsTakenWhenItIsAskedForAndNotBefore() {
        Queue<Integer> queue = new Queue<>();
        IntStream.range(0, 5).forEach(queue::put);
        queue.shutDown();
        var notes = new Notes();
        Flows.publisher(queue).subscribe(notes);
        idle();
        assertThat(queue.size()).isEqualTo(5);
        notes.subscription().request(2);
        idle();
        assertThat(notes.told).containsExactly(0, 1);
        assertThat(queue.size()).isEqualTo(3);
        notes.subscription().request(Long.MAX_VALUE);
        idle();
        assertThat(notes.told).containsExactly(0, 1, 2, 3, 4, "complete");
    }

    @Test
    void aSubscriberWhoHasGoneTakesNothing() {
        Channel<Integer> channel = new Channel<>();
        var notes = new Notes();
        Flows.publisher(channel).subscribe(notes);
        notes.subscription().request(10);
        idle();
        assertThat(channel.receivers()).isEqualTo(1);
        notes.subscription().cancel();
        idle();
        assertThat(channel.receivers()).isZero();
        assertThat(channel.trySend(1)).isFalse();
        assertThat(notes.told).isEmpty();
        assertThat(Hub.current().liveGreenlets()).isZero();
    }

    @Test
    void aFailingIterationAndABadRequestAreErrors() {
        var failing = new Notes();
        Flows.<Integer>publisher(() -> {
            throw new IllegalStateException("no iterator");
        }).subscribe(failing);
        var bad = new Notes();
        Flows.publisher(new Queue<Integer>()).subscribe(bad);
        idle();
        bad.subscription().request(1);
        idle();
        bad.subscription().request(-1);
        idle();
        assertThat(failing.told).containsExactly("IllegalStateException");
        assertThat(bad.told).containsExactly("IllegalArgumentException");
    }

    // --- from a publisher

    @SuppressWarnings("try") // closed twice
    @Test
    void aPublisherIsReadAsAChannelUntilItIsComplete() {
        List<Integer> read = new ArrayList<>();
        try (var publisher = new SubmissionPublisher<Integer>(Runnable::run, 4)) {
            Channel<Integer> channel = Flows.channel(publisher, 4);
            var reader = spawn(() -> channel.forEach(read::add));
            for (int i = 0; i < 1000; i++) {
                publisher.submit(i);
                yieldNow();
            }
            publisher.close();
            reader.join();
        }
        assertThat(read).containsExactlyElementsOf(IntStream.range(0, 1000).boxed().toList());
    }

    @Test
    void noMoreIsAskedForThanIsTaken() {
        long[] asked = new long[1];
        List<Flow.Subscriber<? super Integer>> subscribers = new ArrayList<>();
        Channel<Integer> channel = Flows.channel((Flow.Subscriber<? super Integer> subscriber) -> {
            subscribers.add(subscriber);
            subscriber.onSubscribe(new Flow.Subscription() {
                @Override
                public void request(long n) {
                    asked[0] += n;
                }

                @Override
                public void cancel() {
                    asked[0] = -1;
                }
            });
        }, 4);
        assertThat(asked[0]).isEqualTo(4);
        IntStream.range(0, 4).forEach(subscribers.getFirst()::onNext);
        assertThat(channel.receive()).isZero();
        assertThat(asked[0]).isEqualTo(4);
        assertThat(channel.receive()).isEqualTo(1);
        assertThat(asked[0]).as("half are taken").isEqualTo(6);
        assertThatThrownBy(() -> channel.send(9)).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> select(channel.sending(9), after(LONG)))
                .isInstanceOf(UnsupportedOperationException.class);
        int selected = select(channel.receiving(each -> each + 10), after(LONG).then(_ -> -1));
        assertThat(selected).isEqualTo(12);
        channel.close();
        assertThat(asked[0]).as("cancelled").isEqualTo(-1);
        assertThatThrownBy(channel::receive).isInstanceOf(ShutDown.class);
    }

    @Test
    void theFailureOfAPublisherComesOutAfterItsItems() {
        Channel<Integer> channel = Flows.channel((Flow.Subscriber<? super Integer> subscriber) -> {
            subscriber.onSubscribe(new Flow.Subscription() {
                @Override
                public void request(long n) {
                    if (n == 64) {
                        subscriber.onNext(1);
                        subscriber.onError(new IOException("line cut"));
                    }
                }

                @Override
                public void cancel() {}
            });
        });
        List<Integer> read = new ArrayList<>();
        assertThatThrownBy(() -> channel.forEach(read::add)).isInstanceOf(ShutDown.class)
                .hasMessageContaining("line cut").hasCauseInstanceOf(IOException.class);
        assertThat(read).containsExactly(1);
    }

    @Test
    void oneOfOursReadsOneOfOurs() {
        Queue<Integer> queue = new Queue<>(3);
        spawn(() -> {
            for (int i = 0; i < 100; i++) {
                queue.put(i);
            }
            queue.shutDown();
        });
        List<Integer> read = new ArrayList<>();
        Flows.<Integer>channel(Flows.publisher(queue), 5).forEach(read::add);
        assertThat(read).containsExactlyElementsOf(IntStream.range(0, 100).boxed().toList());
    }

    // --- the compatibility kit of reactive streams

    @Test
    void thePublisherKeepsTheRulesOfReactiveStreams() {
        kit(PublisherRules.class, 20);
    }

    @Test
    void theSubscriberKeepsTheRulesOfReactiveStreams() {
        kit(SubscriberRules.class, 10);
    }

    private static void kit(Class<?> rules, int atLeast) {
        var results = new TestListenerAdapter();
        TestNG kit = new TestNG(false);
        kit.setUseDefaultListeners(false);
        kit.setTestClasses(new Class<?>[] {rules});
        kit.addListener(results);
        kit.run();
        assertThat(results.getFailedTests()).extracting(FlowsTest::inWords).isEmpty();
        assertThat(results.getConfigurationFailures()).extracting(FlowsTest::inWords).isEmpty();
        assertThat(results.getPassedTests()).hasSizeGreaterThanOrEqualTo(atLeast);
    }

    private static String inWords(ITestResult result) {
        return result.getName() + ": " + result.getThrowable();
    }

    /** Of the kit. */
    @org.testng.annotations.Test
    public static final class PublisherRules extends FlowPublisherVerification<Integer> {
        private @Nullable Hub hub;

        /** With the times the kit proposes. */
        public PublisherRules() {
            super(new TestEnvironment(1000, 100));
        }

        /** A hub of its own for all of them. */
        @org.testng.annotations.BeforeClass
        public void open() {
            hub = Hub.start("publisher rules");
        }

        /** And nothing left. */
        @org.testng.annotations.AfterClass
        public void shut() {
            hub().close();
        }

        private Hub hub() {
            return java.util.Objects.requireNonNull(hub);
        }

        @Override
        public Flow.Publisher<Integer> createFlowPublisher(long elements) {
            return Flows.publisher(hub(), () -> IntStream.iterate(0, i -> i + 1).limit(elements).iterator());
        }

        @Override
        public Flow.Publisher<Integer> createFailedFlowPublisher() {
            return Flows.publisher(hub(), () -> {
                throw new IllegalStateException("fails from the first");
            });
        }
    }

    /** Of the kit. */
    @org.testng.annotations.Test
    public static final class SubscriberRules extends FlowSubscriberBlackboxVerification<Integer> {
        /** With the times the kit proposes. */
        public SubscriberRules() {
            super(new TestEnvironment(1000, 100));
        }

        @Override
        public Flow.Subscriber<Integer> createFlowSubscriber() {
            return new Flows.Incoming<Integer>(4).new Subscriber();
        }

        @Override
        public Integer createElement(int element) {
            return element;
        }
    }
}
