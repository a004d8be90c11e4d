package dev.loomlet.acceptance.servers;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.ServerOnHub;
import dev.loomlet.acceptance.peers.Certificate;
import dev.loomlet.acceptance.peers.GrpcService;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.testing.protobuf.SimpleServiceGrpc;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

class GrpcServerTest extends ServerOnHub {
    private SimpleServiceGrpc.@Nullable SimpleServiceBlockingStub stub;

    @Override
    protected Library library() {
        return Library.server("gRPC, on Netty", SimpleServiceGrpc.class, "gRPC's blocking stub")
                .with("`serverBuilder.executor(hub.executor())`");
    }

    @Override
    protected void serve() throws Exception {
        serve(InsecureServerCredentials.create(), InsecureChannelCredentials.create());
    }

    @Override
    protected void openTls() throws Exception {
        Certificate.install();
        serve(TlsServerCredentials.create(Certificate.certificate().toFile(), Certificate.key().toFile()),
                TlsChannelCredentials.newBuilder().trustManager(Certificate.certificate().toFile()).build());
    }

    private void serve(ServerCredentials servers, ChannelCredentials clients) throws Exception {
        Server server =
                NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), servers)
                        .executor(hub().executor()).addService(new GrpcService(this::answer)).build().start();
        closeLater(() -> server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS));
        ManagedChannel channel = Grpc.newChannelBuilderForAddress("127.0.0.1", server.getPort(), clients).build();
        closeLater(() -> channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS));
        stub = SimpleServiceGrpc.newBlockingStub(channel);
    }

    @Override
    protected String ask(String question) {
        return Objects.requireNonNull(stub).unaryRpc(GrpcService.request(question)).getResponseMessage();
    }
}
