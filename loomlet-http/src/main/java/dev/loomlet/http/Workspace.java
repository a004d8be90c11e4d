package dev.loomlet.http;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpParser;
import org.eclipse.jetty.http.HttpVersion;
import org.jspecify.annotations.Nullable;

/**
 * What a connection needs while it has something to say: a buffer for what comes, one for what goes, and the parser with
 * what it has found. A connection that is silent has none, so ten thousand of them cost no buffers, and those that are
 * served one after the other use the same memory, which is warm.
 */
final class Workspace implements HttpParser.RequestHandler {
    private static final int IN = 8 * 1024;
    private static final int OUT = 16 * 1024;
    static final int BODY = 8 * 1024;
    private static final char DELETE = '\u007f'; // the only control character that the parser takes in a target
    private static final byte[] VERSION = {'H', 'T', 'T', 'P', '/'};

    final byte[] inBytes = new byte[IN];
    final ByteBuffer in = ByteBuffer.wrap(inBytes).limit(0);
    byte[] out = new byte[OUT];
    int outEnd;
    private byte @Nullable [] body;

    final HttpParser parser;
    private final int maxTarget;
    private final int maxHead;
    private int trailerBytes;

    // What the parser has found of the current request.
    String method = "";
    String target = "";
    boolean http11;
    Headers headers = new Headers();
    @Nullable Headers trailers;
    @Nullable ByteBuffer chunk; // of the body: a part of in
    boolean headDone;
    boolean bodyDone;
    boolean chunked;
    boolean close;
    boolean keepAlive;
    boolean expectsContinue;
    private boolean halfBreak; // a CR before the request line whose LF has not come yet
    private boolean begun; // the request line
    private int spaces; // in it so far
    private int versionAt;
    private boolean lineDone;
    private int hosts;
    private @Nullable String host;
    int bad; // the status of the answer to a request that is none
    String badReason = "";

    Workspace(int maxTarget, int maxHead) {
        this.maxTarget = maxTarget;
        this.maxHead = maxHead;
        parser = new HttpParser(this, maxHead, HttpCompliance.STRICT);
    }

    /** Ready for the next request; what has not been parsed, or not been written, stays. */
    void reset() {
        parser.reset();
        clear();
    }

    private void clear() {
        method = "";
        target = "";
        headers = new Headers();
        trailers = null;
        chunk = null;
        headDone = false;
        bodyDone = false;
        chunked = false;
        close = false;
        keepAlive = false;
        expectsContinue = false;
        trailerBytes = 0;
        halfBreak = false;
        begun = false;
        spaces = 0;
        versionAt = 0;
        lineDone = false;
        hosts = 0;
        host = null;
        bad = 0;
    }

    /** Ready for another connection. */
    void forget() {
        in.clear().limit(0);
        outEnd = 0;
        reset();
    }

    byte[] body() {
        byte[] bytes = body;
        if (bytes == null) {
            bytes = new byte[BODY];
            body = bytes;
        }
        return bytes;
    }

    /** A head that does not come from a client. */
    void parse(String head) {
        in.clear().put(head.getBytes(StandardCharsets.US_ASCII)).flip();
        parseHead();
    }

    /** Goes on with what is in the buffer until the head is complete, or no request. */
    void parseHead() {
        if (!begun) {
            skipEmptyLines();
        }
        if (!lineDone) {
            checkLine();
        }
        while (!headDone && bad == 0 && in.hasRemaining()) {
            parser.parseNext(in);
        }
        if (!headDone && parser.isTerminated()) {
            refuse(400, "not a request");
        }
    }

    /** RFC 9112, 2.2: a client may have sent a line break too many behind a body. Half of one is none. */
    private void skipEmptyLines() {
        while (bad == 0 && in.hasRemaining()) {
            byte b = in.get(in.position());
            if ((b == '\n') != halfBreak) {
                refuse(400, "half a line break before a request");
            } else if (b != '\r' && b != '\n') {
                begun = true; // what comes next may be a part of the line, and its break no empty line
                return;
            } else {
                halfBreak = b == '\r';
                in.get();
            }
        }
    }

    /**
     * The parser takes more than one space in the first line, and a version in small letters; those before us may not, and
     * see another request.
     */
    private void checkLine() {
        byte[] bytes = inBytes;
        for (int i = in.position(); i < in.limit(); i++) {
            byte b = bytes[i];
            if (b == '\n') {
                lineDone = true;
                return;
            }
            if (b == ' ') {
                if (++spaces > 2) {
                    refuse(400, "a request line with more than two spaces");
                    return;
                }
            } else if (spaces == 2 && versionAt < VERSION.length && VERSION[versionAt++] != b) {
                refuse(400, "a request line that does not end with the version");
                return;
            }
        }
    }

    /** Whether it can be used by another connection. The parser does not come back from where errors lead it. */
    boolean isReusable() {
        return !parser.isTerminated();
    }

    /** Goes on with the body until there is a part of it, or its end. */
    void parseBody() {
        while (chunk == null && !bodyDone && bad == 0) {
            boolean had = in.hasRemaining();
            parser.parseNext(in);
            if (parser.isTerminated() && !bodyDone) {
                refuse(400, "a body that is not in chunks as it should be");
            }
            if (!had) {
                return;
            }
        }
    }

    private void refuse(int status, String reason) {
        if (bad == 0) {
            bad = status;
            badReason = reason;
        }
    }

    // --- called by the parser

    @Override
    public void startRequest(String newMethod, String newTarget, HttpVersion version) {
        method = newMethod;
        target = newTarget;
        http11 = version == HttpVersion.HTTP_1_1;
        if (!http11 && version != HttpVersion.HTTP_1_0) {
            refuse(505, "HTTP version not supported");
        } else if (newTarget.length() > maxTarget) {
            refuse(414, "the request's target is longer than " + maxTarget + " characters");
        }
    }

    @Override
    public void parsedHeader(HttpField field) {
        String value = field.getValue() == null ? "" : field.getValue();
        headers.add(field.getName(), value);
        HttpHeader known = field.getHeader();
        if (known == null) {
            return;
        }
        switch (known) {
            case HOST -> {
                hosts++;
                host = value;
            }
            case CONNECTION -> {
                close |= Headers.listed(value, "close");
                keepAlive |= Headers.listed(value, "keep-alive");
            }
            case TRANSFER_ENCODING -> {
                if (chunked || !http11 || !value.equalsIgnoreCase("chunked")) {
                    refuse(400, "a transfer encoding other than one chunked");
                }
                chunked = true;
            }
            case EXPECT -> {
                if (value.equalsIgnoreCase("100-continue")) {
                    expectsContinue = http11;
                } else {
                    refuse(417, "an expectation other than 100-continue");
                }
            }
            default -> {
                // the handler's
            }
        }
    }

    @Override
    public boolean headerComplete() {
        headDone = true;
        if (hosts > 1) {
            refuse(400, "more than one Host");
        } else if (http11 && hosts == 0) {
            refuse(400, "no Host");
        } else if (host != null && !host.startsWith("[") && host.indexOf(':') != host.lastIndexOf(':')) {
            refuse(400, "a Host with an IPv6 address that is not in brackets");
        } else if (!targetFits()) {
            refuse(400, "a target that is no path, or of another host than Host says");
        }
        return true;
    }

    /** RFC 9112, 3.2: a path; {@code *} for OPTIONS; or a URI, whose host then must be the one of Host. */
    private boolean targetFits() {
        if (target.indexOf('#') >= 0 || target.indexOf(DELETE) >= 0) {
            return false; // a fragment is the client's own, and where one begins is understood in different ways
        }
        if (target.startsWith("/")) {
            return true;
        }
        if (target.equals("*")) {
            return method.equals("OPTIONS");
        }
        if (method.equals("CONNECT")) {
            return true; // refused later: we are no proxy
        }
        int colon = target.indexOf("://");
        if (colon < 0) {
            return false;
        }
        String scheme = target.substring(0, colon);
        if (!scheme.equalsIgnoreCase("http") && !scheme.equalsIgnoreCase("https")) {
            return false;
        }
        String authority = target.substring(colon + 3, pathOf(target));
        return !authority.isEmpty() && authority.indexOf('@') < 0 && (host == null || authority.equalsIgnoreCase(host));
    }

    /** Where the path begins in a target that begins with a scheme. */
    static int pathOf(String target) {
        int start = target.indexOf("://") + 3;
        for (int i = start; i < target.length(); i++) {
            char c = target.charAt(i);
            if (c == '/' || c == '?') {
                return i;
            }
        }
        return target.length();
    }

    @Override
    public boolean content(ByteBuffer part) {
        chunk = part;
        return true;
    }

    @Override
    public boolean contentComplete() {
        return false;
    }

    @Override
    public boolean messageComplete() {
        bodyDone = true;
        return true;
    }

    @Override
    public void parsedTrailer(HttpField field) {
        Headers all = trailers;
        if (all == null) {
            all = new Headers();
            trailers = all;
        }
        String value = field.getValue() == null ? "" : field.getValue();
        trailerBytes += field.getName().length() + value.length() + 4;
        if (trailerBytes > maxHead) {
            refuse(431, "trailers of more than " + maxHead + " bytes");
            return;
        }
        all.add(field.getName(), value);
    }

    @Override
    public void earlyEOF() {
        refuse(400, "a body that is not in chunks as it should be"); // the end is not told to the parser
    }

    @Override
    public void badMessage(org.eclipse.jetty.http.HttpException failure) {
        int code = failure.getCode();
        refuse(code >= 400 && code <= 599 ? code : 400,
                failure.getReason() == null ? "not a request" : failure.getReason());
    }
}
