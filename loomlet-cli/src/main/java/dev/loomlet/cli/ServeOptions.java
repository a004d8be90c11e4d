package dev.loomlet.cli;

/** What all servers are told: where to listen, and for how many. */
record ServeOptions(String address, int backlog, int limit, Terminal terminal) {
    private static final int DEFAULT_BACKLOG = 4096;

    static final Option HOST = Option.value("--host", "ADDRESS", "where to listen (default: 127.0.0.1)");
    static final Option PORT = Option.value("--port", "N", "the port; 0 picks a free one");
    static final Option BACKLOG = Option.value("--backlog", "N",
            "how many connections may wait to be accepted (default: " + DEFAULT_BACKLOG + ")");
    static final Option LIMIT =
            Option.value("--limit", "N", "how many connections are served at a time; the others wait");

    static ServeOptions of(Invocation invocation) throws UsageException {
        String host = invocation.value(HOST).orElse("127.0.0.1");
        int port = invocation.number(PORT, 0, 65535)
                .orElseThrow(() -> new UsageException(PORT.spelling() + " is missing"));
        int backlog = invocation.number(BACKLOG, 1, Integer.MAX_VALUE).orElse(DEFAULT_BACKLOG);
        int limit = invocation.number(LIMIT, 1, Integer.MAX_VALUE).orElse(Integer.MAX_VALUE);
        return new ServeOptions((host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port, backlog, limit,
                invocation.terminal());
    }
}
