/** Errors that nobody catches: with a handler, with the group's, with a handler that fails, and in main. */
class Uncaught {
    static void fail(String what) {
        throw new IllegalStateException(what, new RuntimeException("cause"));
    }

    public static void main(String[] args) throws InterruptedException {
        Thread handled = new Thread(() -> fail("handled"), "handled");
        handled.setUncaughtExceptionHandler((t, e) -> System.out.println(t.getName() + " " + t.isAlive() + " " + e));
        handled.start();
        handled.join();
        ThreadGroup group = new ThreadGroup("group") {
            @Override
            public void uncaughtException(Thread t, Throwable e) {
                System.out.println(getName() + " " + t.getName() + " " + e);
            }
        };
        Thread grouped = new Thread(group, () -> fail("grouped"), "grouped");
        grouped.start();
        grouped.join();
        Thread twice = new Thread(() -> fail("first"), "twice");
        twice.setUncaughtExceptionHandler((t, e) -> fail("second"));
        twice.start();
        twice.join();
        Thread plain = new Thread(() -> fail("plain"), "plain");
        plain.start();
        plain.join();
        new Thread(() -> {
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                System.out.println(e);
            }
            System.out.println("others go on after main has failed");
        }).start();
        fail("main");
    }
}
