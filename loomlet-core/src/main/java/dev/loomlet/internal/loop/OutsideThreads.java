package dev.loomlet.internal.loop;

/** Which threads of the process could still call into a loop that has nothing left to do. */
final class OutsideThreads {
    private OutsideThreads() {}

    /**
     * Whether a thread is alive that is neither the loop's nor one of those with which every JVM, debugger and test runner
     * comes, and which never call into a program.
     */
    static boolean mayCallIn(Loop loop) {
        ThreadGroup root = Thread.currentThread().getThreadGroup();
        while (root.getParent() != null) {
            root = root.getParent();
        }
        Thread[] all = new Thread[root.activeCount() + 16];
        int n = root.enumerate(all, true);
        while (n == all.length) {
            all = new Thread[all.length * 2];
            n = root.enumerate(all, true);
        }
        for (int i = 0; i < n; i++) {
            Thread each = all[i];
            ThreadGroup group = each.getThreadGroup();
            // Only threads below the group "main" are the program's; its siblings are the JDK's own.
            while (group != null && group.getParent() != null && group.getParent() != root) {
                group = group.getParent();
            }
            boolean program = group != null && group.getName().equals("main");
            if (program && !loop.belongs(each) && !infrastructure(each.getName())) {
                return true;
            }
        }
        return false;
    }

    private static boolean infrastructure(String name) {
        return name.startsWith("surefire-") || name.startsWith("junit-") || name.startsWith("loomlet-")
                || name.equals("DestroyJavaVM")
                || name.startsWith("JFR ") || name.startsWith("RMI ") || name.startsWith("JDWP ");
    }
}
