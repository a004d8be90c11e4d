package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A RabbitMQ of this machine, in a process of its own, which knows no other node. */
public final class RabbitMq implements AutoCloseable {
    private final Path folder;
    private final int port = Programs.freePort();
    private final int tlsPort = Programs.freePort();
    private final int namesPort = Programs.freePort();
    private final String version;
    private final Programs.Server server;

    /** Starts it, which takes some seconds. */
    public RabbitMq() throws IOException {
        Certificate.install();
        Path program = Programs.find("rabbitmq-server", "rabbitmq-server", "/usr/lib/rabbitmq/bin");
        version = program.toRealPath().toString().replaceAll(".*rabbitmq_server-([0-9.]+)/.*", "$1");
        folder = Programs.folder("rabbitmq");
        Path config = Files.writeString(folder.resolve("rabbitmq.conf"), """
                listeners.tcp.1 = 127.0.0.1:%d
                listeners.ssl.1 = 127.0.0.1:%d
                ssl_options.certfile = %s
                ssl_options.keyfile = %s
                ssl_options.verify = verify_none
                log.console = true
                log.console.level = warning
                """.formatted(port, tlsPort, Certificate.certificate(), Certificate.key()));
        Map<String, String> environment = new HashMap<>();
        environment.put("HOME", folder.toString());
        environment.put("RABBITMQ_NODENAME", "loomlet" + port + "@localhost");
        environment.put("RABBITMQ_CONFIG_FILE", config.toString());
        environment.put("RABBITMQ_CONF_ENV_FILE", folder.resolve("none").toString());
        environment.put("RABBITMQ_MNESIA_BASE", folder.resolve("mnesia").toString());
        environment.put("RABBITMQ_LOG_BASE", folder.resolve("log").toString());
        environment.put("RABBITMQ_ENABLED_PLUGINS_FILE", folder.resolve("plugins").toString());
        environment.put("RABBITMQ_DIST_PORT", Integer.toString(Programs.freePort()));
        environment.put("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}");
        environment.put("ERL_EPMD_PORT", Integer.toString(namesPort));
        environment.put("ERL_EPMD_ADDRESS", "127.0.0.1");
        server = Programs.server(environment, List.of(program.toString()), folder, tlsPort);
    }

    /** Its port on 127.0.0.1. */
    public int port(boolean tls) {
        return tls ? tlsPort : port;
    }

    /** Its name and version. */
    public String name() {
        return "RabbitMQ " + version;
    }

    @Override
    public void close() throws IOException {
        server.close();
        // Erlang's daemon of names outlives those that started it.
        Programs.run(Map.of("ERL_EPMD_PORT", Integer.toString(namesPort)),
                List.of(Programs.find("epmd", "erlang-base").toString(), "-kill"));
        Programs.delete(folder);
    }
}
