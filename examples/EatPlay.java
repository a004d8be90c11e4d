import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static java.time.Duration.ofSeconds;

/** Two greenlets that take turns: while one sleeps, the other runs. */
class EatPlay {
    static void eat(String name) {
        System.out.println(name + " eat 1");
        sleep(ofSeconds(2));
        System.out.println(name + " eat 2");
    }

    static void play(String name) {
        System.out.println(name + " play 1");
        sleep(ofSeconds(1));
        System.out.println(name + " play 2");
    }

    public static void main(String[] args) {
        var g1 = spawn(() -> eat("egon"));
        var g2 = spawn(() -> play("egon"));
        joinAll(g1, g2);
        System.out.println("main");
    }
}
