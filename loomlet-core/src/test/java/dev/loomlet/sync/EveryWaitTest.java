package dev.loomlet.sync;

import static dev.loomlet.Loomlet.after;
import static dev.loomlet.Loomlet.asCompleted;
import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.select;
import static dev.loomlet.Loomlet.waitAll;
import static dev.loomlet.Loomlet.waitAny;

import dev.loomlet.Completions;
import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Selected;
import dev.loomlet.pool.Group;
import dev.loomlet.pool.Pool;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/** The contract of waits, for every waiting call of this package and the waits for many. */
class EveryWaitTest extends WaitContract {
    private interface Body {
        Object await(Duration timeout) throws Exception;
    }

    private static Call call(Object expiry, IntSupplier waiters, Body body) {
        return new Call() {
            @Override
            public Object await(Duration timeout) throws Exception {
                return body.await(timeout);
            }

            @Override
            public boolean isExpiry(Object result) {
                return expiry instanceof Class<?> type ? type.isInstance(result) : expiry.equals(result);
            }

            @Override
            public int waiters() {
                return waiters.getAsInt();
            }
        };
    }

    /** What is to be waited for runs on another hub, where it does for ever. */
    private static Call onAnotherHub(Function<Greenlet<Void>, Call> make) {
        Hub far = Hub.start("far");
        Call call = make.apply(far.spawn("endless", () -> new Event().await()));
        return new Call() {
            @Override
            public Object await(Duration timeout) throws Exception {
                return call.await(timeout);
            }

            @Override
            public boolean isExpiry(Object result) {
                return call.isExpiry(result);
            }

            @Override
            public int waiters() {
                return call.waiters();
            }

            @Override
            public void close() {
                far.close();
            }
        };
    }

    private static <G extends Group> G with(G group, Greenlet<?> member) {
        group.add(member);
        return group;
    }

    private static Wait wait(String name, Supplier<Call> make) {
        return new Wait(name, make);
    }

    private static <T> Queue<T> full(T item) {
        Queue<T> queue = new Queue<>(1);
        queue.put(item);
        return queue;
    }

    /** Locked by a thread that will never unlock it. */
    private static RLock locked() {
        RLock lock = new RLock();
        Thread owner = Thread.ofPlatform().start(lock::lock);
        try {
            owner.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return lock;
    }

    @Override
    protected List<Wait> waits() {
        return List.of(
                wait("Event.await", () -> {
                    Event event = new Event();
                    return call(false, event::waiters, event::await);
                }),
                wait("AsyncResult.get", () -> {
                    AsyncResult<String> result = new AsyncResult<>();
                    return call(Optional.empty(), result::waiters, result::get);
                }),
                wait("AsyncResult.await", () -> {
                    AsyncResult<String> result = new AsyncResult<>();
                    return call(false, result::waiters, result::await);
                }),
                wait("Semaphore.tryAcquire", () -> {
                    Semaphore semaphore = new Semaphore(0);
                    return call(false, semaphore::waiters, semaphore::tryAcquire);
                }),
                wait("Semaphore.awaitPermit", () -> {
                    Semaphore semaphore = new Semaphore(0);
                    return call(0, () -> semaphore.state.watching.size(), semaphore::awaitPermit);
                }),
                wait("RLock.tryLock", () -> {
                    RLock lock = locked();
                    return call(false, () -> lock.state.waiting.size(), lock::tryLock);
                }),
                wait("Condition.await", () -> {
                    RLock lock = new RLock();
                    Condition condition = lock.newCondition();
                    return call(false, () -> lock.isLocked() ? 1 : 0, timeout -> {
                        lock.lock();
                        try {
                            return condition.await(timeout);
                        } finally {
                            lock.unlock();
                        }
                    });
                }),
                wait("Barrier.await", () -> {
                    Barrier barrier = new Barrier(2);
                    return call("broken", barrier::waiters, timeout -> {
                        try {
                            return barrier.await(timeout);
                        } catch (BarrierBroken e) {
                            return "broken";
                        } finally {
                            barrier.reset();
                        }
                    });
                }),
                wait("Queue.poll", () -> {
                    Queue<String> queue = new Queue<>();
                    return call(Optional.empty(), queue::waitingToTake, queue::poll);
                }),
                wait("Queue.peek", () -> {
                    Queue<String> queue = new Queue<>();
                    return call(Optional.empty(), queue::waitingToTake, queue::peek);
                }),
                wait("Queue.offer", () -> {
                    Queue<String> queue = full("a");
                    return call(false, queue::waitingToPut, timeout -> queue.offer("b", timeout));
                }),
                wait("PriorityQueue.poll", () -> {
                    PriorityQueue<String> queue = new PriorityQueue<>();
                    return call(Optional.empty(), queue::waitingToTake, queue::poll);
                }),
                wait("PriorityQueue.offer", () -> {
                    PriorityQueue<String> queue = new PriorityQueue<>(1);
                    queue.put("a");
                    return call(false, queue::waitingToPut, timeout -> queue.offer("b", timeout));
                }),
                wait("rendezvous offer", () -> {
                    Queue<String> queue = Queue.rendezvous();
                    return call(false, queue::waitingToPut, timeout -> queue.offer("b", timeout));
                }),
                wait("JoinableQueue.join", () -> {
                    JoinableQueue<String> queue = new JoinableQueue<>();
                    queue.put("a");
                    return call(false, () -> queue.state.joining.size(), queue::join);
                }),
                wait("Channel.trySend", () -> {
                    Channel<String> channel = new Channel<>();
                    return call(false, channel::senders, timeout -> channel.trySend("a", timeout));
                }),
                wait("Channel.tryReceive", () -> {
                    Channel<String> channel = new Channel<>();
                    return call(Optional.empty(), channel::receivers, channel::tryReceive);
                }),
                wait("select", () -> {
                    Channel<String> channel = new Channel<>();
                    Channel<String> other = new Channel<>();
                    Event event = new Event();
                    return call(Selected.Elapsed.class,
                            () -> channel.receivers() + other.senders() + event.waiters(),
                            timeout -> select(channel.receiving(), other.sending("a"), event.waiting(),
                                    after(timeout)));
                }),
                wait("waitAll", () -> {
                    Event event = new Event();
                    return call(List.of(), event::waiters, timeout -> waitAll(List.of(event), timeout));
                }),
                wait("waitAny", () -> {
                    Semaphore semaphore = new Semaphore(0);
                    return call(Optional.empty(), () -> semaphore.state.watching.size(),
                            timeout -> waitAny(List.of(semaphore), timeout));
                }),
                wait("asCompleted", () -> {
                    Event event = new Event();
                    return call(false, event::waiters, timeout -> {
                        try (Completions<Event> done = asCompleted(List.of(event), timeout)) {
                            return done.iterator().hasNext();
                        }
                    });
                }),
                wait("Greenlet.join", () -> onAnotherHub(
                        endless -> call(false, () -> endless.hasLinks() ? 1 : 0, endless::join))),
                wait("joinAll", () -> onAnotherHub(endless -> call(List.of(), () -> endless.hasLinks() ? 1 : 0,
                        timeout -> joinAll(List.of(endless), timeout)))),
                wait("Group.join", () -> onAnotherHub(endless -> {
                    Group group = with(new Group(), endless);
                    return call(false, () -> 0, group::join);
                })),
                wait("Pool.waitAvailable", () -> onAnotherHub(endless -> {
                    Pool pool = with(new Pool(1), endless);
                    return call(false, () -> 0, pool::waitAvailable);
                })),
                wait("Pool.trySpawn", () -> onAnotherHub(endless -> {
                    Pool pool = with(new Pool(1), endless);
                    return call(Optional.empty(), () -> 0, timeout -> pool.trySpawn(timeout, () -> 1));
                })));
    }
}
