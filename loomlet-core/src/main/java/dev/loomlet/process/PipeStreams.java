package dev.loomlet.process;

import dev.loomlet.internal.loop.Loop;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Pipes as streams that park the greenlet. */
final class PipeStreams {
    private static final int BUFFER = 8192;
    private static final int TURN = 16; // reads or writes after which others are let run, though there is more to do

    private PipeStreams() {}

    /** For one greenlet at a time. */
    static final class In extends InputStream {
        private final Pipe pipe;
        private byte @Nullable [] buffer; // for those who read byte by byte
        private int position;
        private int limit;
        private int turns;

        In(Pipe pipe) {
            this.pipe = pipe;
        }

        @Override
        public int read() throws IOException {
            if (position == limit) {
                byte[] bytes = buffer == null ? new byte[BUFFER] : buffer;
                buffer = bytes;
                int n = receive(bytes, 0, bytes.length);
                if (n < 0) {
                    return -1;
                }
                position = 0;
                limit = n;
            }
            return Objects.requireNonNull(buffer)[position++] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, into.length);
            if (length == 0) {
                return 0;
            }
            int buffered = takeBuffered(into, offset, length);
            return buffered > 0 ? buffered : receive(into, offset, length);
        }

        /** What was read ahead. */
        int takeBuffered(byte[] into, int offset, int length) {
            int n = Math.min(length, limit - position);
            if (n > 0) {
                System.arraycopy(Objects.requireNonNull(buffer), position, into, offset, n);
                position += n;
            }
            return n;
        }

        private int receive(byte[] into, int offset, int length) throws IOException {
            for (int attempt = 0;; attempt++) {
                int n = pipe.read(into, offset, length);
                if (n != 0) {
                    if (++turns % TURN == 0) {
                        Loop.giveWay();
                    }
                    return n;
                }
                Pipe.await(List.of(pipe), -1, attempt);
            }
        }

        @Override
        public int available() {
            return limit - position;
        }

        @Override
        public void close() throws IOException {
            pipe.close();
        }
    }

    /** Not buffered. For one greenlet at a time. */
    static final class Out extends OutputStream {
        private final Pipe pipe;
        private int turns;

        Out(Pipe pipe) {
            this.pipe = pipe;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, from.length);
            int done = 0;
            for (int attempt = 0; done < length;) {
                int n = pipe.write(from, offset + done, length - done);
                if (n > 0) {
                    done += n;
                    attempt = 0;
                    if (++turns % TURN == 0) {
                        Loop.giveWay();
                    }
                } else {
                    Pipe.await(List.of(pipe), -1, attempt++);
                }
            }
        }

        @Override
        public void close() throws IOException {
            pipe.close();
        }
    }
}
