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

    /** Whether the client takes it, and not less gladly than what is not compressed; RFC 9110, 12.5.3. */
    static boolean isAccepted(Headers headers) {
        double gzip = -1;
        double identity = -1;
        double any = -1;
        for (String line : headers.all("Accept-Encoding")) {
            for (String each : line.split(",")) {
                String[] parts = each.split(";");
                String coding = parts[0].trim();
                double quality = 1;
                for (int i = 1; i < parts.length; i++) {
                    String parameter = parts[i].trim();
                    if (parameter.regionMatches(true, 0, "q=", 0, 2)) {
                        quality = quality(parameter.substring(2));
                    }
                }
                if (coding.equalsIgnoreCase("gzip") || coding.equalsIgnoreCase("x-gzip")) {
                    gzip = Math.max(gzip, quality);
                } else if (coding.equalsIgnoreCase("identity")) {
                    identity = quality;
                } else if (coding.equals("*")) {
                    any = quality;
                }
            }
        }
        double wanted = gzip < 0 ? any : gzip;
        return wanted > 0 && wanted >= identity;
    }

    /** One that is none counts as a refusal: plain is what everybody understands. */
    private static double quality(String text) {
        return text.matches("0(\\.[0-9]{0,3})?|1(\\.0{0,3})?") ? Double.parseDouble(text) : 0;
    }
}
