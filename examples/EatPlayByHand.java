import dev.loomlet.coroutine.Coroutine;

/** Two functions that switch to each other by hand; the first switch to each brings the name. */
class EatPlayByHand {
    static Coroutine<String> eating;
    static Coroutine<String> playing;

    static void eat(String name) {
        System.out.println(name + " eat 1");
        playing.switchTo("egon");
        System.out.println(name + " eat 2");
        playing.switchTo();
    }

    static void play(String name) {
        System.out.println(name + " play 1");
        eating.switchTo();
        System.out.println(name + " play 2");
    }

    public static void main(String[] args) {
        eating = Coroutine.of(EatPlayByHand::eat);
        playing = Coroutine.of(EatPlayByHand::play);
        eating.switchTo("egon");
    }
}
