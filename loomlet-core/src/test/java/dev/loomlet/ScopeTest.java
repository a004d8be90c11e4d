package dev.loomlet;

import static dev.loomlet.Loomlet.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScopeTest {
    private final List<Object> log = new ArrayList<>();

    @AfterEach
    void closeHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    private void forEver(Object name) {
        try {
            Loomlet.sleep(Duration.ofDays(1));
        } finally {
            log.add(name + " ended");
        }
    }

    @Test
    void joinBringsTheResults() {
        try (var scope = Scope.open()) {
            var one = scope.spawn(() -> 1);
            var two = scope.spawn(() -> 2);
            scope.join();
            assertThat(one.resultNow() + two.resultNow()).isEqualTo(3);
        }
    }

    @Test
    void theFirstFailureKillsTheOthersAndIsThrownByJoinWithTheirErrorsSuppressed() {
        Hub.current().onError((greenlet, error) -> log.add("reported " + error));
        assertThatThrownBy(() -> {
            try (var scope = Scope.open()) {
                scope.spawn(() -> {
                    try {
                        forEver("one");
                    } catch (GreenletExit e) {
                        throw new IllegalArgumentException("on the way out", e);
                    }
                });
                scope.spawn(() -> forEver("two"));
                scope.spawn(() -> {
                    throw new IllegalStateException("first");
                });
                scope.join();
            }
        }).isInstanceOf(IllegalStateException.class).hasMessage("first")
                .satisfies(error -> assertThat(error.getSuppressed()).extracting(Throwable::getMessage)
                        .containsExactly("on the way out"));
        assertThat(log).containsExactly("one ended", "two ended");
    }

    @Test
    void aCheckedFailureIsWrapped() {
        assertThatThrownBy(() -> {
            try (var scope = Scope.open()) {
                scope.spawn(() -> {
                    throw new IOException("disk");
                });
                scope.join();
            }
        }).isInstanceOf(CompletionException.class).cause().isInstanceOf(IOException.class).hasMessage("disk");
    }

    @Test
    void aFailureEndsTheBlockAtItsWait() throws Exception {
        run(() -> {
            Throwable thrown = catchThrowable(() -> {
                try (var scope = Scope.open()) {
                    scope.spawn(() -> {
                        throw new IllegalStateException("child");
                    });
                    try {
                        forEver("block");
                    } finally {
                        log.add("left");
                    }
                }
            });
            assertThat(thrown).hasMessage("child");
            assertThat(thrown.getSuppressed()).isEmpty();
        });
        assertThat(log).containsExactly("block ended", "left");
    }

    @Test
    void aFailureThatTheBlockDidNotMeetIsThrownByClose() throws Exception {
        run(() -> assertThatThrownBy(() -> {
            try (var scope = Scope.open()) {
                var child = scope.spawn(() -> {
                    throw new IllegalStateException("child");
                });
                // No wait between here and the end of the block: the child has its turn in close at the earliest.
                assertThat(child.ready()).isFalse();
                scope.spawn(() -> log.add("never"));
                while (!child.ready()) {
                    Thread.yield(); // a JDK yield is no wait of ours
                }
            }
        }).hasMessage("child"));
        Loomlet.yieldNow(); // a failure that was still on its way would arrive here
    }

    @Test
    void aFailureReachesAnOwnerThatWaitsInTheJdk() throws Exception {
        run(() -> {
            Throwable thrown = catchThrowable(() -> {
                try (var scope = Scope.open()) {
                    scope.spawn(() -> {
                        throw new IllegalStateException("child");
                    });
                    Thread.sleep(Duration.ofDays(1));
                }
            });
            assertThat(thrown).isInstanceOf(InterruptedException.class);
            assertThat(thrown.getSuppressed()).extracting(Throwable::getMessage).containsExactly("child");
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        });
    }

    @Test
    void closeWithoutJoinKillsWhatStillRunsAndWaits() {
        try (var scope = Scope.open()) {
            scope.spawn(() -> forEver("child"));
            Loomlet.yieldNow();
        }
        assertThat(log).containsExactly("child ended");
    }

    @Test
    void aKilledOwnerTakesItsChildrenAlong() {
        var owner = spawn(() -> {
            try (var scope = Scope.open()) {
                scope.spawn(() -> forEver("one"));
                scope.spawn(() -> forEver("two"));
                scope.join();
            } finally {
                log.add("owner ended");
            }
        });
        Loomlet.yieldNow();
        Loomlet.yieldNow();
        owner.kill();
        assertThat(log).containsExactly("one ended", "two ended", "owner ended");
        assertThat(owner.exit()).isPresent();
    }

    @Test
    void anOwnerKilledTwiceStillWaitsForItsChildren() {
        var owner = spawn(() -> {
            try (var scope = Scope.open()) {
                scope.spawn(() -> {
                    try {
                        forEver("child");
                    } finally {
                        Loomlet.sleep(Duration.ofMillis(20));
                        log.add("child cleaned up");
                    }
                });
                scope.join();
            } finally {
                log.add("owner ended");
            }
        });
        Loomlet.yieldNow();
        Loomlet.yieldNow();
        owner.kill(new GreenletExit("once"), false, Duration.ZERO);
        Loomlet.yieldNow();
        owner.kill(new GreenletExit("twice"), true, Duration.ofSeconds(30));
        assertThat(log).containsExactly("child ended", "child cleaned up", "owner ended");
    }

    @Test
    void aKilledChildIsNoFailure() {
        try (var scope = Scope.open()) {
            var one = scope.spawn(() -> forEver("one"));
            var two = scope.spawn(() -> 2);
            Loomlet.yieldNow();
            one.kill();
            scope.join();
            assertThat(two.value()).isEqualTo(2);
        }
    }

    @Test
    void cancelKillsTheChildrenAndLaterOnesNeverRun() {
        try (var scope = Scope.open()) {
            scope.spawn(() -> forEver("child"));
            Loomlet.yieldNow();
            scope.cancel();
            var late = scope.spawn(() -> log.add("never"));
            scope.join();
            assertThatThrownBy(late::value).isInstanceOf(CancellationException.class);
        }
        assertThat(log).containsExactly("child ended");
    }

    @Test
    void aDeadlineEndsTheBlockAndTheChildren() throws Exception {
        assertThatThrownBy(() -> {
            try (var scope = Scope.open(Duration.ofMillis(5))) {
                scope.spawn(() -> forEver("child"));
                scope.join();
            }
        }).isInstanceOf(TimeoutExpired.class);
        assertThat(log).containsExactly("child ended");
        try (var scope = Scope.open(Duration.ofMillis(1))) {
            scope.spawn(() -> 1);
        }
        Loomlet.sleep(Duration.ofMillis(5)); // a deadline of a closed scope would hit this
    }

    @Test
    void childrenSpawnSiblings() {
        try (var scope = Scope.open()) {
            scope.spawn(() -> scope.spawn(() -> scope.spawn(() -> log.add("grandchild"))));
            scope.join();
        }
        assertThat(log).containsExactly("grandchild");
    }

    @Test
    void scopesNestAndAnOuterFailureEndsTheInnerOnes() throws Exception {
        run(() -> assertThatThrownBy(() -> {
            try (var outer = Scope.open()) {
                outer.spawn(() -> {
                    Loomlet.yieldNow();
                    throw new IllegalStateException("outer child");
                });
                try (var inner = Scope.open()) {
                    inner.spawn(() -> forEver("inner child"));
                    inner.join();
                } finally {
                    log.add("inner closed");
                }
            }
        }).hasMessage("outer child"));
        assertThat(log).containsExactly("inner child ended", "inner closed");
    }

    @Test
    void onlyItsOwnerJoinsAndClosesIt() {
        try (var scope = Scope.open()) {
            var other = spawn(() -> scope.join());
            Hub.current().onError((greenlet, error) -> log.add(error.getClass()));
            assertThatThrownBy(other::value).isInstanceOf(IllegalStateException.class).hasMessageContaining("opened");
        }
    }

    @Test
    void aClosedScopeSpawnsNothing() {
        var scope = Scope.open();
        scope.close();
        scope.close();
        assertThatThrownBy(() -> scope.spawn(() -> 1)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }
}
