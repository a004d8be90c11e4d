/** Uses a library that keeps something for each OS thread. */
class Bound {
    static void main() {
        System.out.println(new org.lmdbjava.Env() != null);
    }
}
