import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.spawn;

import com.sun.net.httpserver.HttpServer;
import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;

/**
 * Fetches several pages at once. The URLs are the arguments; without any it starts a small site of its own on this machine,
 * whose three pages take a second each, and fetches those: in about one second.
 */
class Crawler {
    static void getPage(HttpClient client, String url) throws IOException, InterruptedException {
        System.out.println("GET: " + url);
        var response = client.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString());
        if (response.statusCode() == 200) {
            System.out.println(response.body().length() + " bytes received from " + url);
        }
    }

    public static void main(String[] args) throws IOException {
        HttpServer site = args.length == 0 ? startSite() : null;
        List<String> urls = site == null ? List.of(args) : pagesOf(site);

        var client = HttpClient.newHttpClient();
        long start = System.nanoTime();
        var greenlets = new ArrayList<Greenlet<Void>>();
        for (String url : urls) {
            greenlets.add(spawn(() -> getPage(client, url)));
        }
        joinAll(greenlets);
        System.out.printf("run time is %.2f s%n", (System.nanoTime() - start) / 1e9);

        client.close();
        if (site != null) {
            site.stop(0);
        }
    }

    // --- a site to crawl; each request waits in a greenlet of its own

    static HttpServer startSite() throws IOException {
        HttpServer site = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        Hub hub = Hub.current();
        site.setExecutor(task -> hub.spawn(task::run));
        site.createContext("/", exchange -> {
            try (exchange) {
                Thread.sleep(1000);
                byte[] page = ("<h1>" + exchange.getRequestURI() + "</h1>\n").repeat(1000).getBytes();
                exchange.sendResponseHeaders(200, page.length);
                exchange.getResponseBody().write(page);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        site.start();
        return site;
    }

    static List<String> pagesOf(HttpServer site) {
        String root = "http://127.0.0.1:" + site.getAddress().getPort();
        return List.of(root + "/python", root + "/yahoo", root + "/github");
    }
}
