import java.lang.instrument.Instrumentation;
import java.text.NumberFormat;

/** What only a jar whose manifest opens and exports packages, and names an agent, can do. */
public class Asking {
    public static void agentmain(String args, Instrumentation instrumentation) {
        System.out.println(Thread.currentThread().getName());
        System.out.println("agent: " + args.length());
    }

    public static void main(String[] args) throws Exception {
        System.out.println(Thread.currentThread().getName());
        System.out.println(NumberFormat.class.getDeclaredField("groupingUsed").trySetAccessible());
        System.out.println(Class.forName("sun.security.x509.X500Name").getConstructor(String.class)
                .newInstance("CN=x"));
    }
}
