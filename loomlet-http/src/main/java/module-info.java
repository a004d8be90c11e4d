import org.jspecify.annotations.NullMarked;

/** An HTTP/1.1 server whose handlers are greenlets. */
@NullMarked module dev.loomlet.http {
    requires static org.jspecify;
    requires transitive dev.loomlet;
    requires org.eclipse.jetty.http; // its parser; nothing of it shows
    requires org.java_websocket; // its framing

    exports dev.loomlet.http;
}
