"""What waiting for one another costs in gevent: the same operations as SyncBench, in nanoseconds each."""

import time

import gevent
from gevent import event, lock, pool, queue

PASSES = 7


def both(one, other):
    gevent.joinall([gevent.spawn(one), gevent.spawn(other)], raise_error=True)


def queue_hand_off(n):
    q = queue.Queue(1)

    def put():
        for _ in range(n):
            q.put(1)

    def take():
        for _ in range(n):
            q.get()

    both(put, take)


def channel_hand_off(n):
    c = queue.Channel()

    def send():
        for _ in range(n):
            c.put(1)

    def receive():
        for _ in range(n):
            c.get()

    both(send, receive)


def semaphore_free(n):
    s = lock.Semaphore(1)

    def loop():
        for _ in range(n):
            s.acquire()
            s.release()

    gevent.spawn(loop).join()


def semaphore_hand_off(n):
    there, back = lock.Semaphore(0), lock.Semaphore(0)

    def one():
        for _ in range(n // 2):
            there.release()
            back.acquire()

    def other():
        for _ in range(n // 2):
            there.acquire()
            back.release()

    both(one, other)


def event_wake_up(n):
    for left in range(n, 0, -1000):  # so many at a time as SyncBench
        some_events(min(left, 1000))


def some_events(n):
    n -= n % 2
    events = [event.Event() for _ in range(n)]

    def waiter():
        for i in range(0, n, 2):
            events[i].wait()
            events[i + 1].set()

    def setter():
        for i in range(0, n, 2):
            events[i].set()
            events[i + 1].wait()

    both(waiter, setter)


def pool_map(n):
    p = pool.Pool(10)
    items = list(range(20))
    for _ in range(n // 20):
        p.map(lambda i: i + 1, items)


def timeout_around_a_call(n):
    def loop():
        for _ in range(n):
            with gevent.Timeout(100):
                pass

    gevent.spawn(loop).join()


def measure(name, work):
    n, each = 1000, 1.0
    end = time.perf_counter() + 1
    while time.perf_counter() < end:
        start = time.perf_counter()
        work(n)
        each = (time.perf_counter() - start) / n
        if each * n < 0.1:
            n *= 2
    n = int(0.3 / each) + 20
    n -= n % 20
    times = []
    for _ in range(PASSES):
        start = time.perf_counter()
        work(n)
        times.append((time.perf_counter() - start) / n * 1e9)
    times.sort()
    print("%-52s %9.1f %9.1f %9.1f" % (name + ", gevent", times[PASSES // 2], times[0], times[-1]), flush=True)


measure("queue hand-off", queue_hand_off)
measure("channel hand-off", channel_hand_off)
measure("semaphore, free", semaphore_free)
measure("semaphore hand-off", semaphore_hand_off)
measure("event wake-up", event_wake_up)
measure("pool map, an item of 20", pool_map)
measure("timeout around a call", timeout_around_a_call)
