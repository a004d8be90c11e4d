package dev.loomlet.coroutine;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** What a test leaves suspended is garbage; only the portable implementation has threads to end for it. */
final class EndLeftovers implements AfterEachCallback {
    @Override
    public void afterEach(ExtensionContext context) throws InterruptedException {
        HandOff.abandonAll();
    }
}
