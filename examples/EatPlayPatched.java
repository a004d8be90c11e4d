import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.spawn;

/** The same with the JDK's own sleep: it gives way as well, and nothing had to be patched in this file. */
class EatPlayPatched {
    static void eat() throws InterruptedException {
        System.out.println(Thread.currentThread().getName() + ": eat food 1");
        Thread.sleep(2000);
        System.out.println(Thread.currentThread().getName() + ": eat food 2");
    }

    static void play() throws InterruptedException {
        System.out.println(Thread.currentThread().getName() + ": play 1");
        Thread.sleep(1000);
        System.out.println(Thread.currentThread().getName() + ": play 2");
    }

    public static void main(String[] args) {
        var g1 = spawn(EatPlayPatched::eat);
        var g2 = spawn(EatPlayPatched::play);
        joinAll(g1, g2);
        System.out.println(Thread.currentThread().getName());
    }
}
