import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.net.InetSocketAddress;

/** Sends back over TLS what it gets, on one event loop with the JDK's engine: NettyTls CERTIFICATE KEY. */
public final class NettyTls {
    private NettyTls() {}

    private static final class Echo extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            context.write(message, context.voidPromise());
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable problem) {
            context.close(); // the client is gone, as load generators do
        }
    }

    public static void main(String[] arguments) throws Exception {
        SslContext tls = SslContextBuilder.forServer(new File(arguments[0]), new File(arguments[1]))
                .sslProvider(SslProvider.JDK).build();
        var loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        var server = new ServerBootstrap().group(loop).channel(EpollServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 4096).childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline().addLast(tls.newHandler(channel.alloc()), new Echo());
                    }
                }).bind("127.0.0.1", 0).sync().channel();
        System.out.println("LISTENING " + ((InetSocketAddress) server.localAddress()).getPort());
    }
}
