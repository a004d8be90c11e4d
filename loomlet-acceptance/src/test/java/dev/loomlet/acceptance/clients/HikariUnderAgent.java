package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;

class HikariUnderAgent extends HikariTest {
    @Override
    protected Library library() {
        return super.library().underAgent();
    }
}
