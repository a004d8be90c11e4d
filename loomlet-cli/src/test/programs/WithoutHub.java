/** A JVM in which nothing is Loomlet's, until standard input ends. */
class WithoutHub {
    public static void main(String[] args) throws Exception {
        System.out.println("ready");
        System.in.read();
    }
}
