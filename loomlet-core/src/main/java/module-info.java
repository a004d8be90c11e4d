import org.jspecify.annotations.NullMarked;

/** Greenlets, the hub that runs them, and everything they wait on. */
@NullMarked module dev.loomlet {
    requires static org.jspecify; // not transitive: a module that uses this one need not have it
    requires static jdk.jfr; // events are recorded where it is there
    requires static java.management; // and so are the hubs shown over JMX

    uses dev.loomlet.internal.loop.Monitoring;

    provides dev.loomlet.internal.loop.Monitoring with dev.loomlet.internal.inspect.ManagementService;

    exports dev.loomlet;
    exports dev.loomlet.coroutine;
    exports dev.loomlet.inspect;
    exports dev.loomlet.net;
    exports dev.loomlet.process;
    exports dev.loomlet.pool;
    exports dev.loomlet.sync;

    provides java.net.spi.InetAddressResolverProvider with dev.loomlet.net.dns.HubResolverProvider;
}
