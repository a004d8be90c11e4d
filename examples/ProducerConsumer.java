import dev.loomlet.coroutine.Coroutine;

/** A producer and a consumer that switch to each other: a value goes over with the switch, no queue in between. */
class ProducerConsumer {
    static Coroutine<Object> producer;
    static Coroutine<String> consumer;

    static void produce() {
        for (String each : new String[] {"bread", "butter", "jam"}) {
            System.out.println("made " + each);
            String verdict = consumer.switchTo(each);
            System.out.println("was told: " + verdict);
        }
        consumer.throwInto(); // no more to come
    }

    static void consume(String first) {
        for (String each = first;;) {
            System.out.println("ate " + each);
            each = producer.switchTo(each + " was good");
        }
    }

    public static void main(String[] args) {
        producer = Coroutine.of(ProducerConsumer::produce);
        consumer = Coroutine.of(ProducerConsumer::consume);
        producer.switchTo();
        System.out.println("consumer " + (consumer.dead() ? "ended" : "still waits"));
    }
}
