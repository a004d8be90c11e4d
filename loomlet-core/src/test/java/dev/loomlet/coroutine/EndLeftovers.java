package dev.loomlet.coroutine;

import dev.loomlet.Hub;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** What a test leaves suspended is garbage; only the portable implementation has threads to end for it. Closes the hub, too. */
final class EndLeftovers implements AfterEachCallback {
    @Override
    public void afterEach(ExtensionContext context) {
        HandOff.abandonAll();
        Hub.ifPresent().ifPresent(Hub::close);
    }
}
