package dev.loomlet.testing;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * The code in the documentation of a module's classes, and whether it compiles. What it takes for granted (a page, a job, a
 * lock) and what it has imported is in {@code src/test/snippets/World.java}.
 */
public final class Snippets {
    private static final String START = "{@snippet :";

    /** A method round a snippet. */
    private record Way(String before, String after) {}

    /** Some come to their end, some leave the method with a result, some may do either. The first is the one that complains. */
    private static final List<Way> WAYS = List.of(
            new Way("void snippet() throws Exception {", "}"),
            new Way("Object snippet() throws Exception {", "}"),
            new Way("Object snippet() throws Exception {", "return 0; }"));

    private Snippets() {}

    /**
     * Compiles all snippets of the module in whose folder this runs.
     *
     * @return how many there are
     * @throws AssertionError where they stand that do not compile, and why
     */
    public static int compileAll() throws IOException {
        var snippets = new LinkedHashMap<String, String>();
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            for (Path file : files.filter(each -> each.toString().endsWith(".java")).sorted().toList()) {
                find(file, snippets);
            }
        }
        String world = Files.readString(Path.of("src/test/snippets/World.java"));
        Map<String, String> wrong = compile(world, snippets, WAYS.getFirst());
        for (Way way : WAYS.subList(1, WAYS.size())) {
            var again = new LinkedHashMap<>(snippets);
            again.keySet().retainAll(wrong.keySet());
            wrong.keySet().retainAll(compile(world, again, way).keySet());
        }
        if (!wrong.isEmpty()) {
            throw new AssertionError("snippets that do not compile:\n" + wrong.entrySet().stream()
                    .map(each -> each.getKey() + ": " + each.getValue()).collect(Collectors.joining("\n")));
        }
        return snippets.size();
    }

    private static void find(Path file, Map<String, String> snippets) throws IOException {
        String text = Files.readString(file);
        for (int at = text.indexOf(START); at >= 0; at = text.indexOf(START, at + 1)) {
            int end = at + 1;
            for (int depth = 1; depth > 0; end++) {
                depth += text.charAt(end) == '{' ? 1 : text.charAt(end) == '}' ? -1 : 0;
            }
            long line = text.substring(0, at).lines().count();
            snippets.put(file + ":" + line,
                    text.substring(at + START.length(), end - 1).replaceAll("(?m)^ *\\* ?", ""));
        }
    }

    /** What the compiler says of those that it refuses. */
    private static Map<String, String> compile(String world, Map<String, String> snippets, Way way) {
        if (snippets.isEmpty()) {
            return Map.of();
        }
        String imports = world.lines().filter(line -> line.startsWith("import ")).collect(Collectors.joining("\n"));
        List<JavaFileObject> sources = new ArrayList<>();
        sources.add(new Source("World", world));
        var names = new LinkedHashMap<String, String>();
        snippets.forEach((where, code) -> {
            String name = "Snippet" + names.size();
            names.put(name, where);
            var members = new StringBuilder();
            String body = Pattern.compile("(?m)^(import|static) .*;$").matcher(code).replaceAll(found -> {
                members.append(found.group().startsWith("static") ? found.group() + "\n" : "");
                return "";
            });
            sources.add(
                    new Source(name, imports + "\nclass " + name + " extends World {\n" + members + way.before + body
                            + "\n" + way.after + "}\n"));
        });
        var complaints = new DiagnosticCollector<JavaFileObject>();
        Path classes = Path.of("target/snippets");
        try (var files = ToolProvider.getSystemJavaCompiler().getStandardFileManager(complaints, null, null)) {
            Files.createDirectories(classes);
            ToolProvider.getSystemJavaCompiler().getTask(new StringWriter(), files, complaints,
                    List.of("-proc:none", "-XDshould-stop.ifError=FLOW", "-Xlint:none", "-d", classes.toString(), "-cp",
                            System.getProperty("java.class.path")),
                    null, sources).call();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        var wrong = new LinkedHashMap<String, String>();
        for (Diagnostic<? extends JavaFileObject> each : complaints.getDiagnostics()) {
            if (each.getKind() == Diagnostic.Kind.ERROR) {
                String name = each.getSource() == null ? "" : each.getSource().getName().replaceAll("^/|\\.java$", "");
                wrong.merge(names.getOrDefault(name, "src/test/snippets/World.java"), each.getMessage(null),
                        (one, other) -> one + "\n    " + other);
            }
        }
        return wrong;
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String name, String text) {
            super(URI.create("string:///" + name + ".java"), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
