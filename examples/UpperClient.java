import java.io.IOException;
import java.net.Socket;
import java.util.Scanner;

/** Sends each line that is typed to UpperServer.java and prints the answer, until the input ends. */
class UpperClient {
    /** The port is the argument, 8080 without one. */
    public static void main(String[] args) throws IOException {
        int port = args.length > 0 ? Integer.parseInt(args[0]) : 8080;
        try (var client = new Socket("127.0.0.1", port); var input = new Scanner(System.in)) {
            var buffer = new byte[1024];
            while (true) {
                System.out.print(">>: ");
                System.out.flush();
                if (!input.hasNextLine()) {
                    break;
                }
                var msg = input.nextLine().strip();
                if (msg.isEmpty()) {
                    continue;
                }
                client.getOutputStream().write(msg.getBytes());
                int n = client.getInputStream().read(buffer);
                if (n < 0) {
                    break;
                }
                System.out.println(new String(buffer, 0, n));
            }
        }
    }
}
