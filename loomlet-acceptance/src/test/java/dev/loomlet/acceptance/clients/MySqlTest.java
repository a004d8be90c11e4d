package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;

/** The driver of MySQL, which MariaDB understands. */
class MySqlTest extends MariaDbTest {
    @Override
    protected Library library() {
        return Library.client("MySQL Connector/J", com.mysql.cj.jdbc.Driver.class, "MariaDB");
    }

    @Override
    String url(String url, boolean tls) {
        String mine = url.replace("jdbc:mariadb:", "jdbc:mysql:").replaceAll("&sslMode=.*", "");
        return mine + (tls ? "&sslMode=VERIFY_CA" : "&sslMode=DISABLED") + "&characterEncoding=UTF-8";
    }
}
