package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A Kafka broker in a JVM of its own, which is its own controller. */
public final class KafkaBroker implements AutoCloseable {
    private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private final Path folder = Programs.folder("kafka");
    private final int port = Programs.freePort();
    private final int tlsPort = Programs.freePort();
    private final Programs.Server server;

    /** Starts it, which takes some seconds. */
    public KafkaBroker() throws IOException {
        Certificate.install();
        int controller = Programs.freePort();
        String store = Certificate.store().toString();
        Path config = Files.writeString(folder.resolve("server.properties"), """
                process.roles=broker,controller
                node.id=1
                controller.quorum.voters=1@127.0.0.1:%1$d
                listeners=PLAINTEXT://127.0.0.1:%2$d,SSL://127.0.0.1:%3$d,CONTROLLER://127.0.0.1:%1$d
                advertised.listeners=PLAINTEXT://127.0.0.1:%2$d,SSL://127.0.0.1:%3$d
                listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT
                controller.listener.names=CONTROLLER
                log.dirs=%4$s
                offsets.topic.replication.factor=1
                transaction.state.log.replication.factor=1
                transaction.state.log.min.isr=1
                group.initial.rebalance.delay.ms=0
                ssl.keystore.location=%5$s
                ssl.keystore.password=%6$s
                ssl.keystore.type=PKCS12
                """.formatted(controller, port, tlsPort, folder.resolve("data"), store, Certificate.PASSWORD));
        Path log = Files.writeString(folder.resolve("log4j2.properties"), """
                rootLogger.level=warn
                rootLogger.appenderRef.out.ref=out
                appender.out.type=Console
                appender.out.name=out
                appender.out.layout.type=PatternLayout
                appender.out.layout.pattern=%p %c %m%n
                """);
        Programs.run(Map.of(), java(log, "kafka.tools.StorageTool", "format", "--config", config.toString(),
                "--cluster-id", "bG9vbWxldGxvb21sZXRsb2"));
        server = Programs.server(Map.of(), java(log, "kafka.Kafka", config.toString()), folder, tlsPort);
    }

    private static List<String> java(Path log, String... arguments) {
        var command = new java.util.ArrayList<String>(List.of(JAVA, "-Xmx512m", "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1", "-Dlog4j2.configurationFile=" + log, "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))));
        command.addAll(List.of(arguments));
        return command;
    }

    /** Where it is. */
    public String address(boolean tls) {
        return "127.0.0.1:" + (tls ? tlsPort : port);
    }

    @Override
    public void close() throws IOException {
        server.close();
        Programs.delete(folder);
    }
}
