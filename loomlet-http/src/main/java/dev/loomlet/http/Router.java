package dev.loomlet.http;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Finds the handler by method and path.
 *
 * {@snippet :
 * var rooms = new Router()
 *         .get("/", (request, response) -> response.send("hello"))
 *         .get("/rooms/{name}", (request, response) -> response.send(room(request.pathParameter("name"))))
 *         .put("/rooms/{name}", this::change)
 *         .get("/files/{path...}", StaticFiles.of(folder).under("/files"));
 * }
 *
 * <p>{@code {name}} stands for one part of the path, {@code {name...}} at the end for all that follow, also none. Where
 * several patterns fit, the one wins that was added first. A path that none fits is answered with 404; one whose method is
 * missing with 405 and {@code Allow}. {@code HEAD} goes where {@code GET} does, and {@code OPTIONS} is answered.
 */
public final class Router implements HttpHandler {
    private final List<Route> routes = new ArrayList<>();

    /** No routes yet. */
    public Router() {}

    private record Route(String method, String pattern, List<String> parts, HttpHandler handler) {
        /** The parameters, or null if it does not fit. */
        @Nullable
        Map<String, String> match(List<String> path) {
            Map<String, String> found = new LinkedHashMap<>();
            for (int i = 0; i < parts.size(); i++) {
                String part = parts.get(i);
                boolean parameter = part.startsWith("{");
                if (parameter && part.endsWith("...}")) {
                    found.put(part.substring(1, part.length() - 4),
                            Percent.decode(String.join("/", path.subList(Math.min(i, path.size()), path.size())),
                                    false));
                    return found;
                }
                if (i >= path.size()) {
                    return null;
                }
                if (parameter) {
                    if (path.get(i).isEmpty()) {
                        return null;
                    }
                    found.put(part.substring(1, part.length() - 1), Percent.decode(path.get(i), false));
                } else if (!part.equals(Percent.decode(path.get(i), false))) {
                    return null;
                }
            }
            return path.size() == parts.size() ? found : null;
        }
    }

    /** Adds a handler for {@code GET} and {@code HEAD}. */
    public Router get(String pattern, HttpHandler handler) {
        return add("GET", pattern, handler);
    }

    /** Adds a handler for {@code POST}. */
    public Router post(String pattern, HttpHandler handler) {
        return add("POST", pattern, handler);
    }

    /** Adds a handler for {@code PUT}. */
    public Router put(String pattern, HttpHandler handler) {
        return add("PUT", pattern, handler);
    }

    /** Adds a handler for {@code DELETE}. */
    public Router delete(String pattern, HttpHandler handler) {
        return add("DELETE", pattern, handler);
    }

    /**
     * Adds a handler for any method.
     *
     * @throws IllegalArgumentException if the pattern is none
     */
    public Router add(String method, String pattern, HttpHandler handler) {
        if (!pattern.startsWith("/")) {
            throw new IllegalArgumentException("a pattern begins with a slash: \"" + pattern + "\"");
        }
        List<String> parts = split(pattern);
        for (int i = 0; i < parts.size(); i++) {
            String part = parts.get(i);
            boolean braces = part.indexOf('{') >= 0 || part.indexOf('}') >= 0;
            if (braces && !part.matches("\\{[A-Za-z_][A-Za-z0-9_]*(\\.\\.\\.)?}")) {
                throw new IllegalArgumentException("\"" + part + "\" in \"" + pattern + "\" is no {name}");
            }
            if (part.endsWith("...}") && i < parts.size() - 1) {
                throw new IllegalArgumentException("nothing can follow \"" + part + "\" in \"" + pattern + "\"");
            }
        }
        routes.add(new Route(method, pattern, parts, handler));
        return this;
    }

    private static List<String> split(String path) {
        return List.of(path.substring(1).split("/", -1));
    }

    @Override
    public void handle(Request request, Response response) throws Exception {
        String raw = request.rawPath();
        List<String> path = raw.startsWith("/") ? split(raw) : List.of();
        String method = request.method().equals("HEAD") ? "GET" : request.method();
        Set<String> allowed = new TreeSet<>();
        for (Route each : routes) {
            Map<String, String> found = each.match(path);
            if (found != null) {
                if (each.method.equals(method)) {
                    request.pathParameters(found);
                    each.handler.handle(request, response);
                    return;
                }
                allowed.add(each.method);
            }
        }
        if (allowed.isEmpty()) {
            throw new HttpException(404, "there is nothing at " + raw);
        }
        if (allowed.contains("GET")) {
            allowed.add("HEAD");
        }
        allowed.add("OPTIONS");
        boolean asked = method.equals("OPTIONS");
        response.status(asked ? 204 : 405).header("Allow", String.join(", ", allowed)).send();
    }
}
