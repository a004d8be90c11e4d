package dev.loomlet.http;

import dev.loomlet.Hub;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Serves the files of a folder: content types, {@code ETag} and {@code Last-Modified} and the questions about them, one
 * range or several, {@code index.html}, and a list of a folder where that is wanted.
 *
 * {@snippet :
 * var site = new Router()
 *         .get("/api/rooms", this::rooms)
 *         .get("/{path...}", StaticFiles.of(Path.of("public")));
 * var docs = StaticFiles.of(Path.of("docs")).under("/docs").listing(true).cacheControl("max-age=3600");
 * }
 *
 * <p>Nothing outside of the folder is ever served: the path of a request is taken apart after it was decoded, and a part
 * that is empty, {@code .} or {@code ..}, that begins with a dot, or that holds a slash, a backslash or a NUL is not found.
 * Symbolic links are followed as long as they lead to something within the folder; with {@code symlinks(false)} none is.
 *
 * <p>Disks block, so all that touches them is done by the hub's thread pool, 64 KB at a time.
 */
public final class StaticFiles implements HttpHandler {
    private static final int PIECE = 64 * 1024;
    private static final int MOST_RANGES = 16;
    private static final DateTimeFormatter RFC_850 =
            DateTimeFormatter.ofPattern("EEEE, dd-MMM-yy HH:mm:ss 'GMT'", Locale.US).withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter HTTP_DATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US);
    private static final DateTimeFormatter ASCTIME =
            DateTimeFormatter.ofPattern("EEE MMM ppd HH:mm:ss yyyy", Locale.US);

    private static final Map<String, String> TYPES = Map.ofEntries(
            Map.entry("html", "text/html; charset=utf-8"), Map.entry("htm", "text/html; charset=utf-8"),
            Map.entry("txt", "text/plain; charset=utf-8"), Map.entry("md", "text/markdown; charset=utf-8"),
            Map.entry("css", "text/css; charset=utf-8"), Map.entry("csv", "text/csv; charset=utf-8"),
            Map.entry("js", "text/javascript; charset=utf-8"), Map.entry("mjs", "text/javascript; charset=utf-8"),
            Map.entry("json", "application/json"), Map.entry("map", "application/json"),
            Map.entry("xml", "application/xml"), Map.entry("wasm", "application/wasm"),
            Map.entry("pdf", "application/pdf"), Map.entry("zip", "application/zip"),
            Map.entry("gz", "application/gzip"), Map.entry("jar", "application/java-archive"),
            Map.entry("svg", "image/svg+xml"), Map.entry("png", "image/png"), Map.entry("jpg", "image/jpeg"),
            Map.entry("jpeg", "image/jpeg"), Map.entry("gif", "image/gif"), Map.entry("webp", "image/webp"),
            Map.entry("avif", "image/avif"), Map.entry("ico", "image/x-icon"), Map.entry("woff", "font/woff"),
            Map.entry("woff2", "font/woff2"), Map.entry("ttf", "font/ttf"), Map.entry("otf", "font/otf"),
            Map.entry("mp3", "audio/mpeg"), Map.entry("ogg", "audio/ogg"), Map.entry("wav", "audio/wav"),
            Map.entry("mp4", "video/mp4"), Map.entry("webm", "video/webm"),
            Map.entry("webmanifest", "application/manifest+json"));

    private final Path root;
    private final String prefix;
    private final boolean listing;
    private final boolean symlinks;
    private final @Nullable String cacheControl;

    private StaticFiles(Path root, String prefix, boolean listing, boolean symlinks, @Nullable String cacheControl) {
        this.root = root;
        this.prefix = prefix;
        this.listing = listing;
        this.symlinks = symlinks;
        this.cacheControl = cacheControl;
    }

    /**
     * Serves a folder, at the path {@code /}.
     *
     * @throws IOException if it is not there or is no folder
     */
    public static StaticFiles of(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new NoSuchFileException(folder.toString(), null, "is no folder that could be served");
        }
        return new StaticFiles(folder.toRealPath(), "", false, true, null);
    }

    /** The same at another path: {@code /docs/a.html} is then {@code a.html} of the folder. */
    public StaticFiles under(String path) {
        String stripped = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        if (!stripped.isEmpty() && !stripped.startsWith("/")) {
            throw new IllegalArgumentException("a path begins with a slash: \"" + path + "\"");
        }
        return new StaticFiles(root, stripped, listing, symlinks, cacheControl);
    }

    /** Whether a folder without {@code index.html} is answered with a list of what is in it; it is not, by default. */
    public StaticFiles listing(boolean on) {
        return new StaticFiles(root, prefix, on, symlinks, cacheControl);
    }

    /** Whether symbolic links are followed that lead to something within the folder; they are, by default. */
    public StaticFiles symlinks(boolean followed) {
        return new StaticFiles(root, prefix, listing, followed, cacheControl);
    }

    /** What is said in {@code Cache-Control}; nothing by default, so that clients ask again. */
    public StaticFiles cacheControl(String value) {
        return new StaticFiles(root, prefix, listing, symlinks, value);
    }

    /** What there is at a path. */
    private record Found(Path path, boolean folder, long size, Instant modified) {
        String tag() {
            return "\"" + Long.toHexString(modified.toEpochMilli()) + "-" + Long.toHexString(size) + "\"";
        }
    }

    @Override
    public void handle(Request request, Response response) throws Exception {
        if (!request.method().equals("GET") && !request.method().equals("HEAD")) {
            response.status(405).header("Allow", "GET, HEAD").send();
            return;
        }
        List<String> parts = parts(request);
        boolean folderMeant = parts.isEmpty() || request.rawPath().endsWith("/");
        Hub hub = Hub.current();
        Optional<Found> found = hub.threadPool().call(() -> find(parts, folderMeant));
        if (found.isEmpty()) {
            throw notFound(request);
        }
        Found file = found.get();
        if (file.folder && !folderMeant) {
            response.status(301).redirect(request.rawPath() + "/" + request.query().map(each -> "?" + each).orElse(""));
        } else if (file.folder) {
            if (!listing) {
                throw notFound(request);
            }
            response.type("text/html; charset=utf-8").send(hub.threadPool().call(() -> list(file.path, request)));
        } else {
            send(file, request, response, hub);
        }
    }

    private static HttpException notFound(Request request) {
        return new HttpException(404, "there is nothing at " + request.rawPath());
    }

    // --- finding

    /** The parts of the path below the folder, each a name and nothing else. */
    private List<String> parts(Request request) {
        String path = request.path();
        if (!path.startsWith(prefix + "/")) {
            if (!path.equals(prefix)) {
                throw notFound(request);
            }
            path = prefix + "/";
        }
        // Taken apart as it was sent, so that an escaped slash stays within its part, where it is refused.
        List<String> parts = new ArrayList<>();
        String below = request.rawPath().substring(rawLength(request.rawPath(), prefix));
        String[] raw = below.split("/", -1);
        for (int i = 1; i < raw.length; i++) {
            String part = Percent.decode(raw[i], false);
            boolean last = i == raw.length - 1;
            if (part.isEmpty() && last) {
                break; // a slash at the end
            }
            if (part.isEmpty() || part.startsWith(".") || part.indexOf('/') >= 0 || part.indexOf('\\') >= 0
                    || part.indexOf('\0') >= 0) {
                throw notFound(request);
            }
            parts.add(part);
        }
        return parts;
    }

    /** How many characters of the path as it was sent make the prefix. */
    private static int rawLength(String raw, String prefix) {
        int slashes = (int) prefix.chars().filter(each -> each == '/').count();
        int at = 0;
        for (int i = 0; i <= slashes && at >= 0; i++) {
            int next = raw.indexOf('/', at);
            if (next < 0) {
                return raw.length();
            }
            if (i == slashes) {
                return next;
            }
            at = next + 1;
        }
        return raw.length();
    }

    /** On a thread of the pool. */
    private Optional<Found> find(List<String> parts, boolean folderMeant) throws IOException {
        Path path = root;
        try {
            for (String each : parts) {
                path = path.resolve(each);
            }
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
        Optional<Found> found = look(path);
        if (found.isEmpty() || !folderMeant) {
            return found;
        }
        if (!found.get().folder) {
            return Optional.empty(); // a file with a slash behind it
        }
        Optional<Found> index = look(path.resolve("index.html"));
        return index.isPresent() && !index.get().folder ? index : found;
    }

    private Optional<Found> look(Path path) throws IOException {
        try {
            Path real = path.toRealPath();
            if (!real.startsWith(root)) {
                return Optional.empty();
            }
            if (!symlinks && !real.equals(path)) {
                return Optional.empty();
            }
            BasicFileAttributes attributes =
                    Files.readAttributes(real, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!attributes.isRegularFile() && !attributes.isDirectory()) {
                return Optional.empty(); // a pipe would keep a thread of the pool for ever
            }
            return Optional.of(new Found(real, attributes.isDirectory(), attributes.size(),
                    attributes.lastModifiedTime().toInstant()));
        } catch (java.nio.file.FileSystemException e) {
            return Optional.empty(); // not there, not for us, a file where a folder was meant, a name too long
        }
    }

    private static String list(Path folder, Request request) throws IOException {
        StringBuilder page = new StringBuilder("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>")
                .append(html(request.path())).append("</title></head><body>\n<h1>").append(html(request.path()))
                .append("</h1>\n<ul>\n");
        if (!request.rawPath().equals("/")) {
            page.append("<li><a href=\"../\">../</a></li>\n");
        }
        try (Stream<Path> all = Files.list(folder)) {
            for (Path each : (Iterable<Path>) all.sorted()::iterator) {
                String name = String.valueOf(each.getFileName());
                if (!name.startsWith(".")) {
                    String slash = Files.isDirectory(each) ? "/" : "";
                    page.append("<li><a href=\"./").append(Percent.encode(name)).append(slash).append("\">")
                            .append(html(name)).append(slash).append("</a></li>\n");
                }
            }
        }
        return page.append("</ul>\n</body></html>\n").toString();
    }

    private static String html(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }

    private static String type(Path file) {
        String name = String.valueOf(file.getFileName());
        int dot = name.lastIndexOf('.');
        String type = dot < 0 ? null : TYPES.get(name.substring(dot + 1).toLowerCase(Locale.ROOT));
        return type == null ? "application/octet-stream" : type;
    }

    // --- sending

    private void send(Found file, Request request, Response response, Hub hub) throws Exception {
        String tag = file.tag();
        response.header("ETag", tag).header("Last-Modified", HttpServer.date(file.modified))
                .header("Accept-Ranges", "bytes")
                .header("X-Content-Type-Options", "nosniff");
        if (cacheControl != null) {
            response.header("Cache-Control", cacheControl);
        }
        String type = type(file.path);
        response.type(type);
        boolean zips = response.willZip(file.size);
        Headers asked = request.headers();
        int condition = condition(asked, tag, file.modified);
        if (condition != 200) {
            response.status(condition).send();
            return;
        }
        List<Range> ranges = request.method().equals("GET") && rangesApply(asked, tag, file.modified)
                ? ranges(asked.find("Range"), file.size) : List.of();
        if (ranges == UNSATISFIABLE) {
            response.status(416).header("Content-Range", "bytes */" + file.size).send();
            return;
        }
        if (request.method().equals("HEAD")) {
            if (zips) {
                response.sendZippedHead();
            } else {
                response.length(file.size).send();
            }
            return;
        }
        try (FileChannel channel = hub.threadPool().call(() -> FileChannel.open(file.path, StandardOpenOption.READ,
                LinkOption.NOFOLLOW_LINKS))) {
            if (ranges.size() > 1) {
                sendParts(channel, file, type, ranges, response, hub);
                return;
            }
            Range range = ranges.isEmpty() ? new Range(0, file.size - 1) : ranges.getFirst();
            if (!ranges.isEmpty()) {
                response.status(206).header("Content-Range", range.of(file.size));
            }
            if (!zips || !ranges.isEmpty()) {
                response.length(range.length());
            }
            copy(channel, range, response.body(), hub);
        }
    }

    /** RFC 9110, 14.6. */
    private static void sendParts(FileChannel channel, Found file, String type, List<Range> ranges, Response response,
            Hub hub) throws Exception {
        String boundary = Long.toHexString(ThreadLocalRandom.current().nextLong() | Long.MIN_VALUE);
        byte[] end = ("\r\n--" + boundary + "--\r\n").getBytes(StandardCharsets.US_ASCII);
        List<byte[]> heads = new ArrayList<>();
        long length = end.length;
        for (Range each : ranges) {
            byte[] head =
                    ("\r\n--" + boundary + "\r\nContent-Type: " + type + "\r\nContent-Range: " + each.of(file.size)
                            + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
            heads.add(head);
            length += head.length + each.length();
        }
        OutputStream out =
                response.status(206).type("multipart/byteranges; boundary=" + boundary).length(length).body();
        for (int i = 0; i < ranges.size(); i++) {
            out.write(heads.get(i));
            copy(channel, ranges.get(i), out, hub);
        }
        out.write(end);
    }

    private static void copy(FileChannel channel, Range range, OutputStream out, Hub hub) throws Exception {
        byte[] bytes = new byte[(int) Math.min(PIECE, Math.max(range.length(), 1))];
        for (long at = range.first; at <= range.last;) {
            long from = at;
            int want = (int) Math.min(bytes.length, range.last - at + 1);
            int n = hub.threadPool().call(() -> channel.read(ByteBuffer.wrap(bytes, 0, want), from));
            if (n <= 0) {
                throw new IOException("the file became shorter while it was sent");
            }
            out.write(bytes, 0, n);
            at += n;
        }
    }

    // --- conditions, RFC 9110, 13

    /** 200 to go on, else 304 or 412. */
    private static int condition(Headers asked, String tag, Instant modified) {
        String ifMatch = joined(asked, "If-Match");
        if (ifMatch != null) {
            if (!matches(ifMatch, tag, true)) {
                return 412;
            }
        } else {
            Instant since = date(asked.find("If-Unmodified-Since"));
            if (since != null && seconds(modified) > since.getEpochSecond()) {
                return 412;
            }
        }
        String ifNoneMatch = joined(asked, "If-None-Match");
        if (ifNoneMatch != null) {
            return matches(ifNoneMatch, tag, false) ? 304 : 200;
        }
        Instant since = date(asked.find("If-Modified-Since"));
        return since != null && seconds(modified) <= since.getEpochSecond() ? 304 : 200;
    }

    private static @Nullable String joined(Headers headers, String name) {
        List<String> all = headers.all(name);
        return all.isEmpty() ? null : String.join(",", all);
    }

    /** Whether the list has the tag; a strong comparison has nothing to do with weak ones. */
    private static boolean matches(String list, String tag, boolean strong) {
        for (String each : list.split(",")) {
            String one = each.trim();
            if (one.equals("*") || one.equals(tag) || (!strong && one.equals("W/" + tag))) {
                return true;
            }
        }
        return false;
    }

    private static long seconds(Instant instant) {
        return instant.getEpochSecond();
    }

    private static boolean rangesApply(Headers asked, String tag, Instant modified) {
        if (!asked.contains("Range")) {
            return false;
        }
        String condition = asked.find("If-Range");
        if (condition == null) {
            return true;
        }
        if (condition.startsWith("\"") || condition.startsWith("W/")) {
            return condition.equals(tag);
        }
        Instant date = date(condition);
        return date != null && seconds(modified) == date.getEpochSecond();
    }

    /** In one of the three formats of RFC 9110, 5.6.7; null if it is none. */
    static @Nullable Instant date(@Nullable String text) {
        if (text == null) {
            return null;
        }
        for (DateTimeFormatter each : List.of(HTTP_DATE, RFC_850, ASCTIME)) {
            try {
                return LocalDateTime.parse(text.trim(), each).toInstant(ZoneOffset.UTC);
            } catch (DateTimeException e) {
                // the next one
            }
        }
        return null;
    }

    // --- ranges, RFC 9110, 14

    private static final List<Range> UNSATISFIABLE = List.of(new Range(0, -1));

    /** From the first byte to the last one, both included. */
    record Range(long first, long last) {
        long length() {
            return last - first + 1;
        }

        String of(long size) {
            return "bytes " + first + "-" + last + "/" + size;
        }
    }

    /**
     * What is asked for, in its order: nothing for the whole, as for a field that is not understood or asks for more parts
     * than anybody needs.
     */
    static List<Range> ranges(@Nullable String field, long size) {
        if (field == null || !field.toLowerCase(Locale.ROOT).startsWith("bytes=")) {
            return List.of();
        }
        List<Range> ranges = new ArrayList<>();
        String[] all = field.substring(6).split(",", -1);
        if (all.length > MOST_RANGES) {
            return List.of();
        }
        for (String each : all) {
            String one = each.trim();
            if (!one.matches("\\d{1,18}-\\d{0,18}|-\\d{1,18}")) {
                return List.of();
            }
            int dash = one.indexOf('-');
            long first;
            long last = size - 1;
            if (dash == 0) {
                long suffix = Long.parseLong(one.substring(1));
                first = Math.max(0, size - suffix);
                if (suffix == 0) {
                    continue;
                }
            } else {
                first = Long.parseLong(one.substring(0, dash));
                if (dash < one.length() - 1) {
                    long asked = Long.parseLong(one.substring(dash + 1));
                    if (asked < first) {
                        return List.of();
                    }
                    last = Math.min(last, asked);
                }
            }
            if (first < size) {
                ranges.add(new Range(first, last));
            }
        }
        if (ranges.isEmpty()) {
            return UNSATISFIABLE;
        }
        return ranges.stream().mapToLong(Range::length).sum() > size ? List.of() : ranges; // they overlap: the whole is less
    }
}
