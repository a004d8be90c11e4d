package dev.loomlet.http;

import java.util.Locale;

/** When to compress. */
final class Gzip {
    private Gzip() {}

    /** Whether things of that type become smaller. */
    static boolean isWorthIt(String type) {
        int semicolon = type.indexOf(';');
        String name = (semicolon < 0 ? type : type.substring(0, semicolon)).trim().toLowerCase(Locale.ROOT);
        if (name.equals("text/event-stream")) {
            return false; // each event is to be seen at once
        }
        return name.startsWith("text/") || name.endsWith("+json") || name.endsWith("+xml") || switch (name) {
            case "application/json", "application/javascript", "application/xml", "application/wasm", "image/svg+xml",
                    "application/manifest+json", "application/x-ndjson" -> true;
            default -> false;
        };
    }

    /** Whether the client takes it, RFC 9110, 12.5.3. */
    static boolean isAccepted(Headers headers) {
        boolean any = false;
        for (String line : headers.all("Accept-Encoding")) {
            for (String each : line.split(",")) {
                String[] parts = each.split(";");
                String coding = parts[0].trim();
                boolean refused = false;
                for (int i = 1; i < parts.length; i++) {
                    refused |= parts[i].trim().matches("[qQ]=0(\\.0{0,3})?");
                }
                if (coding.equalsIgnoreCase("gzip") || coding.equalsIgnoreCase("x-gzip")) {
                    return !refused;
                }
                any |= coding.equals("*") && !refused;
            }
        }
        return any;
    }
}
