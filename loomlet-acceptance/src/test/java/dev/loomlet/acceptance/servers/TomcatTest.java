package dev.loomlet.acceptance.servers;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Certificate;
import dev.loomlet.acceptance.peers.Programs;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;

class TomcatTest extends WebServer {
    @Override
    protected Library library() {
        return Library.server("Tomcat", Tomcat.class, "java.net.http")
                .with("`connector.getProtocolHandler().setExecutor(hub.executor())`");
    }

    @Override
    int serve(boolean tls) throws Exception {
        Path folder = Programs.folder("tomcat");
        closeLater(() -> Programs.delete(folder));
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(folder.toString());
        Connector connector = new Connector();
        connector.setProperty("address", "127.0.0.1");
        connector.setPort(0);
        if (tls) {
            connector.setProperty("SSLEnabled", "true");
            connector.setSecure(true);
            connector.setScheme("https");
            SSLHostConfig host = new SSLHostConfig();
            SSLHostConfigCertificate certificate = new SSLHostConfigCertificate(host,
                    SSLHostConfigCertificate.Type.UNDEFINED);
            certificate.setCertificateKeystoreFile(Certificate.store().toString());
            certificate.setCertificateKeystorePassword(Certificate.PASSWORD);
            certificate.setCertificateKeyAlias("peer");
            host.addCertificate(certificate);
            connector.addSslHostConfig(host);
        }
        connector.getProtocolHandler().setExecutor(hub().executor());
        tomcat.setConnector(connector);
        Context context = tomcat.addContext("", folder.toString());
        Tomcat.addServlet(context, "answers", new Answering()).addMapping("/");
        tomcat.start();
        closeLater(() -> {
            tomcat.stop();
            tomcat.destroy();
        });
        return connector.getLocalPort();
    }

    private final class Answering extends HttpServlet {
        private static final long serialVersionUID = 1;

        @Override
        protected void doPost(HttpServletRequest request, HttpServletResponse response)
                throws ServletException, IOException {
            try {
                response.getOutputStream().write(answer(request.getInputStream().readAllBytes()));
            } catch (InterruptedException e) {
                throw new ServletException(e);
            }
        }
    }
}
