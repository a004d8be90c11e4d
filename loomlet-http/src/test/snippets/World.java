import dev.loomlet.http.*;
import dev.loomlet.http.WebSocket.*;
import dev.loomlet.net.*;
import java.io.*;
import java.nio.file.*;
import java.util.*;

/** What the snippets take for granted. */
class World {
    record Price(String toJson) {}

    record Row(byte[] bytes) {}

    interface Prices {
        List<Price> following(Optional<String> lastSeen);
    }

    static HttpHandler handler;
    static Router site;
    static Request request;
    static Response response;
    static Prices prices;
    static List<Row> rows;
    static List<WebSocket> room;
    static String json;
    static Path folder;
    static char[] password;

    String room(String name) {
        return name;
    }

    void rooms(Request request, Response response) {}

    void change(Request request, Response response) {}
}
