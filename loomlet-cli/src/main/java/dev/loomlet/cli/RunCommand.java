package dev.loomlet.cli;

import dev.loomlet.agent.FileMode;
import dev.loomlet.agent.MainMethod;
import dev.loomlet.agent.ProgramRun;
import dev.loomlet.agent.RunOptions;
import dev.loomlet.agent.SocketMode;
import dev.loomlet.agent.ThreadMode;
import dev.loomlet.agent.UnusableProgram;
import dev.loomlet.internal.jdk.ClassPath;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/** {@code loomlet run}: runs a program with its {@code main} and its threads as greenlets on one thread. */
final class RunCommand extends Command {
    private static final Option CLASS_PATH =
            Option.value("-cp", "PATH", "jars and folders with classes").or("-classpath").or("--class-path");
    private static final Option THREADS = Option.value("--threads", "app|all|none",
            "whose threads become greenlets: the program's own (app, the default),");
    private static final Option SOCKETS =
            Option.value("--sockets", "fast|jdk",
                    "whose sockets the program gets: Loomlet's (the default), or the JDK's");
    private static final Option FILES = Option.value("--files", "inline|pool",
            "where they read and write regular files: on the hub (inline) or on its pool of threads");
    private static final Option OFFLOAD = Option.value("--offload", "CLASS#METHOD,...",
            "methods that block in native code and are kept off the hub");
    private static final Option REPORT = Option.flag("--report", "tells at the end what has happened");

    RunCommand() {
        super("run", "[OPTIONS] PROGRAM [ARGUMENTS]",
                "runs a program, its main and its threads as greenlets on one thread");
    }

    @Override
    List<Option> options() {
        return List.of(CLASS_PATH, THREADS, FILES, SOCKETS, OFFLOAD, REPORT);
    }

    @Override
    List<String> details() {
        return List.of("",
                "PROGRAM is a source file, a jar, or, with -cp, a main class. What follows it is passed on as it is.",
                "--threads all takes the threads that its libraries start as well, none takes only main. The JDK's own",
                "threads stay what they are.");
    }

    @Override
    int call(Invocation invocation) throws UsageException {
        if (invocation.arguments().isEmpty()) {
            throw new UsageException("which program?");
        }
        // No patterns in these: the JVM would make code for them at each start.
        String threads = invocation.value(THREADS).orElse("app");
        ThreadMode mode = switch (threads) {
            case "app" -> ThreadMode.APP;
            case "all" -> ThreadMode.ALL;
            case "none" -> ThreadMode.NONE;
            default -> throw new UsageException("--threads must be app, all or none, not \"" + threads + '"');
        };
        String whose = invocation.value(SOCKETS).orElse("");
        SocketMode sockets = switch (whose) {
            case "" -> SocketMode.AUTO;
            case "fast" -> SocketMode.FAST;
            case "jdk" -> SocketMode.JDK;
            default -> throw new UsageException("--sockets must be fast or jdk, not \"" + whose + '"');
        };
        String where = invocation.value(FILES).orElse("");
        FileMode files = switch (where) {
            case "" -> RunOptions.DEFAULT.files();
            case "inline" -> FileMode.INLINE;
            case "pool" -> FileMode.POOL;
            default -> throw new UsageException("--files must be inline or pool, not \"" + where + '"');
        };
        List<String> offload = invocation.value(OFFLOAD).map(each -> List.of(each.split(","))).orElse(List.of());
        RunOptions options = new RunOptions(mode, files, sockets, offload, invocation.has(REPORT));
        try {
            new Run(options, invocation.value(CLASS_PATH).orElse(null),
                    invocation.arguments().getFirst(),
                    invocation.arguments().subList(1, invocation.arguments().size())).run();
            return 0;
        } catch (UnusableProgram e) {
            invocation.terminal().err().println("loomlet: " + e.getMessage());
            return USAGE_ERROR;
        }
    }

    /** What is to be run, and how. */
    private record Run(RunOptions options, @Nullable String classPath, String program,
            List<String> arguments) {
        private String[] args() {
            return arguments.toArray(String[]::new);
        }

        void run() throws UnusableProgram {
            if (classPath != null && !SourceProgram.isSource(program)) {
                runClass(classPath);
                return;
            }
            Path file = Path.of(program);
            if (!Files.exists(file)) {
                throw new UnusableProgram("there is no file " + program
                        + (program.contains(".") ? "" : " (a class is run with -cp PATH " + program + ")"));
            }
            if (Files.isDirectory(file)) {
                throw new UnusableProgram(program + " is a folder, not a .java file or a jar");
            }
            if (program.endsWith(".jar") || !program.endsWith(".java") && isZip(file)) {
                runJar(file);
            } else {
                runSource(file);
            }
        }

        /** As {@code java -jar}, which asks for no particular name: a web server in a {@code .war} is run like this. */
        private static boolean isZip(Path file) {
            try (InputStream in = Files.newInputStream(file)) {
                return Arrays.equals(in.readNBytes(2), new byte[] {'P', 'K'});
            } catch (IOException e) {
                return false; // whoever reads it next says why it cannot be read
            }
        }

        private void runSource(Path file) throws UnusableProgram {
            String path = classPath == null ? "" : classPath;
            Set<URI> own = new HashSet<>();
            own.add(file.toUri());
            for (Path each : entries(path)) {
                ClassPath.append(each);
                if (Files.isDirectory(each)) {
                    own.add(each.toUri());
                }
            }
            SourceProgram source = SourceProgram.compile(file, path);
            System.setProperty("java.class.path", path);
            new ProgramRun(options, own).run(() -> load(source.mainClass(), source.loader(), program), args());
        }

        private void runJar(Path jar) throws UnusableProgram {
            Attributes attributes;
            try (JarFile file = new JarFile(jar.toFile())) {
                Manifest manifest = file.getManifest();
                attributes = manifest == null ? new Attributes() : manifest.getMainAttributes();
            } catch (ZipException e) {
                throw new UnusableProgram(jar + " is no jar: " + e.getMessage());
            } catch (IOException e) {
                throw new UnusableProgram("cannot read " + jar + ": " + e);
            }
            String main = attributes.getValue(Attributes.Name.MAIN_CLASS);
            if (main == null) {
                throw new UnusableProgram(
                        jar + " names no Main-Class in its manifest; run a class of it with -cp " + jar
                                + " MAIN-CLASS");
            }
            String name = main.strip();
            ClassPath.append(jar);
            ClassPath.open(Objects.requireNonNullElse(attributes.getValue("Add-Opens"), ""));
            ClassPath.export(Objects.requireNonNullElse(attributes.getValue("Add-Exports"), ""));
            System.setProperty("java.class.path", jar.toString());
            String agent = attributes.getValue("Launcher-Agent-Class");
            new ProgramRun(options, Set.of(jar.toUri())).run(() -> {
                MainMethod found = load(name, ClassLoader.getSystemClassLoader(), jar.toString());
                return agent == null ? found : found.after(agent.strip());
            }, args());
        }

        private void runClass(String path) throws UnusableProgram {
            Set<URI> own = new HashSet<>();
            String resource = program.replace('.', '/') + ".class";
            boolean found = false;
            for (Path each : entries(path)) {
                ClassPath.append(each);
                if (Files.isDirectory(each)) {
                    own.add(each.toUri());
                    found |= Files.exists(each.resolve(resource));
                } else if (!found && holds(each, resource)) {
                    own.add(each.toUri());
                    found = true;
                }
            }
            System.setProperty("java.class.path", path);
            new ProgramRun(options, own).run(() -> load(program, ClassLoader.getSystemClassLoader(), path),
                    args());
        }

        private static boolean holds(Path jar, String resource) {
            try (JarFile file = new JarFile(jar.toFile())) {
                return file.getEntry(resource) != null;
            } catch (IOException e) {
                return false; // as java does, what is not there or no jar is passed over
            }
        }

        /** The entries of a class path that exist; {@code folder/*} stands for the jars in it. */
        private static List<Path> entries(String path) {
            List<Path> entries = new ArrayList<>();
            for (String each : path.split(File.pathSeparator, -1)) {
                if (each.equals("*") || each.endsWith(File.separator + "*")) {
                    String folder = each.length() == 1 ? "." : each.substring(0, each.length() - 2);
                    File[] jars = new File(folder.isEmpty() ? File.separator : folder)
                            .listFiles((in, name) -> name.endsWith(".jar") || name.endsWith(".JAR"));
                    if (jars != null) {
                        Arrays.sort(jars);
                        for (File jar : jars) {
                            entries.add(jar.toPath());
                        }
                    }
                } else {
                    Path entry = Path.of(each.isEmpty() ? "." : each);
                    if (Files.exists(entry)) {
                        entries.add(entry);
                    }
                }
            }
            return entries;
        }

        private static MainMethod load(String name, ClassLoader loader, String where) throws UnusableProgram {
            try {
                Thread.currentThread().setContextClassLoader(loader);
                return MainMethod.of(Class.forName(name, false, loader));
            } catch (ClassNotFoundException e) {
                throw new UnusableProgram("there is no class " + name + " in " + where);
            } catch (LinkageError e) {
                throw new UnusableProgram("class " + name + " cannot be loaded: " + e);
            }
        }
    }
}
