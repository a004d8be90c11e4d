package dev.loomlet.cli;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import dev.loomlet.agent.UnusableProgram;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * A program that is a source file: compiled into memory, as {@code java File.java} does, together with the files next to
 * it that it uses. Its first class is the one that is run.
 */
final class SourceProgram {
    private final String mainClass;
    private final ClassLoader loader;

    private SourceProgram(String mainClass, ClassLoader loader) {
        this.mainClass = mainClass;
        this.loader = loader;
    }

    /**
     * Compiles it.
     *
     * @param file the source file
     * @param classPath what it may use besides the JDK and Loomlet, or an empty string
     * @throws UnusableProgram if it has errors; the message is the compiler's
     */
    static SourceProgram compile(Path file, String classPath) throws UnusableProgram {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            throw new UnusableProgram("this Java has no compiler: a JDK is needed to run " + file);
        }
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        Map<String, byte[]> classes = new ConcurrentHashMap<>();
        StringWriter output = new StringWriter();
        try (var standard = compiler.getStandardFileManager(diagnostics, null, StandardCharsets.UTF_8);
                JavaFileManager manager = new InMemory(standard, classes)) {
            List<Path> path = new ArrayList<>();
            for (String each : (classPath + java.io.File.pathSeparator + System.getProperty("java.class.path", ""))
                    .split(java.io.File.pathSeparator, -1)) {
                if (!each.isEmpty()) {
                    path.add(Path.of(each));
                }
            }
            standard.setLocationFromPaths(StandardLocation.CLASS_PATH, path);
            JavaFileObject source = standard.getJavaFileObjects(file).iterator().next();
            CompilationUnitTree unit = parse(compiler, standard, source);
            standard.setLocationFromPaths(StandardLocation.SOURCE_PATH, List.of(root(file, unit)));
            List<String> options = List.of("-proc:none", "-implicit:class", "-Xlint:deprecation", "-Xdiags:verbose",
                    "-Xlint:-options", "-g");
            boolean good = compiler.getTask(output, manager, diagnostics, options, null, List.of(source)).call();
            if (!good) {
                throw new UnusableProgram(explain(file, diagnostics, output));
            }
            String main = mainClass(file, unit);
            return new SourceProgram(main, new InMemoryLoader(classes, file));
        } catch (IOException e) {
            throw new UnusableProgram("cannot compile " + file + ": " + e);
        }
    }

    private static CompilationUnitTree parse(JavaCompiler compiler, JavaFileManager manager, JavaFileObject source)
            throws IOException {
        // Errors are for the real compilation to report.
        JavacTask task = (JavacTask) compiler.getTask(new StringWriter(), manager, new DiagnosticCollector<>(),
                List.of("-proc:none"), null, List.of(source));
        return task.parse().iterator().next();
    }

    /** The folder in which the packages of the file begin. */
    private static Path root(Path file, CompilationUnitTree unit) {
        Path folder = file.toAbsolutePath().normalize().getParent();
        if (unit.getPackageName() != null) {
            String[] names = unit.getPackageName().toString().split("\\.", -1);
            for (int i = names.length - 1; i >= 0 && folder != null && folder.endsWith(names[i]); i--) {
                folder = folder.getParent();
            }
        }
        return folder == null ? file.toAbsolutePath().getRoot() : folder;
    }

    private static String mainClass(Path file, CompilationUnitTree unit) throws UnusableProgram {
        for (Tree each : unit.getTypeDecls()) {
            if (each instanceof ClassTree type) {
                String name = type.getSimpleName().toString();
                return unit.getPackageName() == null ? name : unit.getPackageName() + "." + name;
            }
        }
        throw new UnusableProgram(file + " declares no class");
    }

    private static String explain(Path file, DiagnosticCollector<JavaFileObject> diagnostics, StringWriter output) {
        StringBuilder text = new StringBuilder(file + " does not compile:");
        for (var each : diagnostics.getDiagnostics()) {
            if (each.getKind() == javax.tools.Diagnostic.Kind.ERROR) {
                text.append(System.lineSeparator()).append(each);
            }
        }
        if (!output.toString().isBlank()) {
            text.append(System.lineSeparator()).append(output.toString().strip());
        }
        return text.toString();
    }

    /** The name of the class to run. */
    String mainClass() {
        return mainClass;
    }

    /** Where its classes come from. */
    ClassLoader loader() {
        return loader;
    }

    /** Keeps what is compiled. */
    private static final class InMemory extends ForwardingJavaFileManager<JavaFileManager> {
        private final Map<String, byte[]> classes;

        InMemory(JavaFileManager manager, Map<String, byte[]> classes) {
            super(manager);
            this.classes = classes;
        }

        @Override
        public JavaFileObject getJavaFileForOutput(Location location, String name, JavaFileObject.Kind kind,
                @Nullable FileObject sibling) {
            return new SimpleJavaFileObject(URI.create("memory:///" + name.replace('.', '/') + kind.extension), kind) {
                @Override
                public OutputStream openOutputStream() {
                    return new ByteArrayOutputStream() {
                        @Override
                        public void close() {
                            classes.put(name, toByteArray());
                        }
                    };
                }
            };
        }
    }

    /** Gives it to the VM, and as resources to who asks for them. */
    private static final class InMemoryLoader extends ClassLoader {
        private final Map<String, byte[]> classes;
        private final ProtectionDomain domain;

        InMemoryLoader(Map<String, byte[]> classes, Path file) throws MalformedURLException {
            super(ClassLoader.getSystemClassLoader());
            this.classes = classes;
            this.domain = new ProtectionDomain(
                    new CodeSource(file.toUri().toURL(), (Certificate[]) null), null, this, null);
        }

        /** The program's own classes come first, as those of {@code java File.java} do. */
        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                if (!classes.containsKey(name)) {
                    return super.loadClass(name, resolve);
                }
                Class<?> type = findLoadedClass(name);
                return type == null ? findClass(name) : type;
            }
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            byte[] bytes = classes.get(name);
            if (bytes == null) {
                throw new ClassNotFoundException(name);
            }
            return defineClass(name, bytes, 0, bytes.length, domain);
        }

        @Override
        protected @Nullable URL findResource(String name) {
            byte[] bytes = name.endsWith(".class")
                    ? classes.get(name.substring(0, name.length() - 6).replace('/', '.')) : null;
            if (bytes == null) {
                return null;
            }
            try {
                return URL.of(URI.create("memory:///" + name), new URLStreamHandler() {
                    @Override
                    protected URLConnection openConnection(URL url) {
                        return new URLConnection(url) {
                            @Override
                            public void connect() {
                                connected = true;
                            }

                            @Override
                            public InputStream getInputStream() {
                                return new ByteArrayInputStream(bytes);
                            }
                        };
                    }
                });
            } catch (MalformedURLException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        protected Enumeration<URL> findResources(String name) {
            URL url = findResource(name);
            return url == null ? Collections.emptyEnumeration() : Collections.enumeration(List.of(url));
        }
    }

    /** Whether a name looks like that of a source file. */
    static boolean isSource(String name) {
        return name.endsWith(".java") || (!name.endsWith(".jar") && Files.isRegularFile(Path.of(name)));
    }
}
