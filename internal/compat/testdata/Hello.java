// The JVM finds a socket that it inherits at descriptor 0, by System.inheritedChannel.
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

public final class Hello {
    private static final byte[] ANSWER = ("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")
            .getBytes(StandardCharsets.US_ASCII);

    public static void main(String[] args) throws IOException {
        ServerSocketChannel listener = (ServerSocketChannel) System.inheritedChannel();
        ExecutorService pool = Executors.newFixedThreadPool(8);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> leave(listener, pool)));
        for (;;) {
            try {
                SocketChannel conn = listener.accept();
                pool.submit(() -> answer(conn));
            } catch (ClosedChannelException e) {
                return; // the hook waits for those under way
            }
        }
    }

    private static void answer(SocketChannel conn) {
        try (conn) {
            conn.read(ByteBuffer.allocate(8192));
            conn.write(ByteBuffer.wrap(ANSWER));
        } catch (IOException e) {
            System.err.println(e);
        }
    }

    private static void leave(ServerSocketChannel listener, ExecutorService pool) {
        try {
            listener.close();
            pool.shutdown();
            pool.awaitTermination(20, TimeUnit.SECONDS);
        } catch (IOException | InterruptedException e) {
            System.err.println(e);
        }
    }
}
