package dev.loomlet.sync;

import dev.loomlet.Hub;
import org.junit.jupiter.api.AfterEach;

/** For tests that run on the hub of their own thread: closes it after each, with all that was left in it. */
public abstract class HubTest {
    @AfterEach
    protected void closeTheHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }
}
