package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.acceptance.ClientOnHub;
import dev.loomlet.acceptance.peers.Answers;
import dev.loomlet.acceptance.peers.Certificate;
import java.time.Duration;
import java.util.Locale;

/** A client of a service that gives {@link Answers}. */
abstract class AskingClient extends ClientOnHub {
    static {
        Certificate.install(); // before anybody asks for the JDK's default context
    }

    final Answers answers = new Answers();

    /** Asks a question and waits for the answer. */
    abstract String ask(String question) throws Exception;

    @Override
    protected void rightResults() throws Exception {
        for (String word : new String[] {"hub", "greenlet", "x".repeat(3000)}) {
            assertThat(ask("upper " + word)).isEqualTo(word.toUpperCase(Locale.ROOT));
        }
    }

    @Override
    protected final void slowCall(int number, Duration latency) throws Exception {
        assertThat(ask("slow " + latency.toMillis())).isEqualTo("at last");
    }

    @Override
    protected int inside() {
        return answers.inside();
    }
}
