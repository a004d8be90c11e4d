/** How a process ends: "daemon", "last", "exit" or "exit-in-thread". */
class Exits {
    static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            System.out.println(e);
        }
    }

    public static void main(String[] args) {
        Thread main = Thread.currentThread();
        Thread worker = new Thread(() -> {
            pause(50);
            System.out.println("worker ends, main is " + main.getState());
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            System.out.println("hook waits for a thread");
            Thread late = new Thread(() -> {
                pause(20);
                System.out.println("it has run");
            });
            late.start();
            try {
                late.join();
            } catch (InterruptedException e) {
                System.out.println(e);
            }
            System.out.println("hook ends");
        }));
        Thread daemon = new Thread(() -> {
            try {
                pause(60_000);
            } finally {
                System.out.println("a daemon must not get here");
            }
        });
        daemon.setDaemon(true);
        daemon.start();
        switch (args[0]) {
            case "daemon" -> System.out.println("main ends");
            case "last" -> worker.start();
            case "exit" -> System.exit(3);
            case "exit-in-thread" -> {
                new Thread(() -> {
                    pause(20);
                    System.exit(4);
                }).start();
                pause(60_000);
            }
            default -> throw new IllegalArgumentException(args[0]);
        }
    }
}
