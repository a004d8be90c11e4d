package dev.loomlet.acceptance;

/** What is proved, in the order of the table's columns. */
enum Proof {
    RESULTS("right results"), CONCURRENT("20 calls"), GAP("longest gap"), KILL("kill"), TIMEOUT("timeout"), TLS("TLS"),
    ONE_THREAD("one thread"), NOTHING_LEFT("nothing left");

    private final String heading;

    Proof(String heading) {
        this.heading = heading;
    }

    String heading() {
        return heading;
    }
}
