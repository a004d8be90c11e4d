package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Certificate;
import dev.loomlet.acceptance.peers.GrpcService;
import dev.loomlet.acceptance.peers.RealThreads;
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
import io.grpc.testing.protobuf.SimpleResponse;
import io.grpc.testing.protobuf.SimpleServiceGrpc;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

class GrpcTest extends AskingClient {
    private SimpleServiceGrpc.@Nullable SimpleServiceBlockingStub stub;

    @Override
    protected Library library() {
        return Library.client("gRPC, blocking stub", SimpleServiceGrpc.class, "gRPC's server on Netty");
    }

    @Override
    protected void open() throws Exception {
        connect(InsecureServerCredentials.create(), InsecureChannelCredentials.create());
    }

    @Override
    protected void openTls() throws Exception {
        connect(TlsServerCredentials.create(Certificate.certificate().toFile(), Certificate.key().toFile()),
                TlsChannelCredentials.create());
    }

    private void connect(ServerCredentials servers, ChannelCredentials clients) throws Exception {
        RealThreads realThreads = closeLater(new RealThreads());
        Server server =
                NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), servers)
                        .executor(realThreads).addService(new GrpcService(answers::to)).build().start();
        closeLater(() -> server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS));
        ManagedChannel channel = Grpc.newChannelBuilderForAddress("127.0.0.1", server.getPort(), clients).build();
        closeLater(() -> channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS));
        stub = SimpleServiceGrpc.newBlockingStub(channel);
    }

    private SimpleServiceGrpc.SimpleServiceBlockingStub stub() {
        return Objects.requireNonNull(stub);
    }

    @Override
    String ask(String question) {
        return stub().unaryRpc(GrpcService.request(question)).getResponseMessage();
    }

    @Override
    protected void rightResults() throws Exception {
        super.rightResults();
        List<String> streamed = new ArrayList<>();
        var responses = stub().serverStreamingRpc(GrpcService.request("one two three"));
        while (responses.hasNext()) {
            SimpleResponse response = responses.next();
            streamed.add(response.getResponseMessage());
        }
        assertThat(streamed).containsExactly("ONE", "TWO", "THREE");
    }
}
