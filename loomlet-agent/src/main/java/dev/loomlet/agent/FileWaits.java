package dev.loomlet.agent;

import dev.loomlet.Hub;
import dev.loomlet.internal.jdk.FileHooks;
import dev.loomlet.internal.loop.Away;
import dev.loomlet.internal.loop.Descriptors;
import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.NativeWaits;
import java.io.FileDescriptor;
import java.io.IOException;

/**
 * What greenlets do before and after the JDK's native reads and writes.
 *
 * <pre>
 * regular file, --files inline    just timed: the stall detector hears of long ones
 * regular file, --files pool      made on a thread of the pool, to which the greenlet moves
 * the JDK's jars, class loading   never anything else than inline: whoever waits there holds locks that a class
 *                                 initialiser may need, and that one could not give way
 * pipe, FIFO, terminal, device    the greenlet waits until the system says that it is ready; written in pieces that fit
 * </pre>
 *
 * What a descriptor is, is found out once and noted in it.
 */
final class FileWaits implements FileHooks.Callbacks {
    private static final int NOTHING = 0;
    private static final int TIMED = 1;
    private static final int MOVED = 2;

    private static final int UNKNOWN = 0;
    private static final int REGULAR = 1;
    private static final int OF_CLASS_LOADING = 2;
    private static final int SPECIAL = 3;
    private static final int KIND_BITS = 2;
    private static final int LAST_STANDARD = 2; // standard input, output and error
    private static final int TURN = 16; // reads or writes after which others are let run, though there is more to do

    private final boolean pool;
    private int turns; // of all hubs: that it is not exact does no harm

    FileWaits(FileMode mode) {
        this.pool = mode == FileMode.POOL;
        // What is done for the file of a class must need no class that is still to be loaded, ours above all.
        NativeWaits.begin();
        NativeWaits.end();
        Away.load();
        Descriptors.closing(-1);
        end(NOTHING);
    }

    @Override
    public int begin(FileDescriptor descriptor, boolean read) throws IOException {
        return Fiber.current() == null ? NOTHING : begin(descriptor, read, false);
    }

    @Override
    public int beginWriteAll(FileDescriptor descriptor) throws IOException {
        return Fiber.current() == null ? NOTHING : begin(descriptor, false, true);
    }

    private int begin(FileDescriptor descriptor, boolean read, boolean all) throws IOException {
        switch (kind(descriptor)) {
            case REGULAR -> {
                if (pool && move()) {
                    return MOVED;
                }
            }
            case SPECIAL -> {
                awaitReady(descriptor, read);
                if (all && move()) {
                    return MOVED;
                }
            }
            case OF_CLASS_LOADING -> {
                return NOTHING; // nobody could do anything about it
            }
            default -> {}
        }
        NativeWaits.begin();
        return TIMED;
    }

    private static int kind(FileDescriptor descriptor) {
        int number = FileHooks.number(descriptor);
        long note = FileHooks.note(descriptor);
        if (number < 0) {
            return UNKNOWN; // closed: the call says so
        }
        if (note != -1 && note >> KIND_BITS == number) {
            return (int) note & (1 << KIND_BITS) - 1;
        }
        int kind = !FileHooks.isRegular(descriptor) ? SPECIAL : FileHooks.loadsClasses() ? OF_CLASS_LOADING : REGULAR;
        FileHooks.note(descriptor, (long) number << KIND_BITS | kind);
        return kind;
    }

    private void awaitReady(FileDescriptor descriptor, boolean read) throws IOException {
        // Who writes a log may hold the lock of its handler, and who logs in a class initialiser could not give way for it.
        if ((read || FileHooks.number(descriptor) > LAST_STANDARD) && ++turns % TURN == 0) {
            Loop.giveWay();
        }
        boolean interrupted = false;
        try {
            for (int attempt = 0; !FileHooks.ready(descriptor, read); attempt++) {
                int number = FileHooks.number(descriptor);
                if (number < 0) {
                    return;
                }
                try {
                    Descriptors.await(number, read, new Ready(number, read), attempt);
                } catch (Descriptors.Interrupted e) {
                    interrupted = true; // a thread in a native read would not notice either
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** What is waited for. */
    private record Ready(int number, boolean read) {
        @Override
        public String toString() {
            String what = number <= LAST_STANDARD
                    ? new String[] {"standard input", "standard output", "standard error"}[number]
                    : "descriptor " + number;
            return what + (read ? " to have something to read" : " to have room to write");
        }
    }

    private static boolean move() {
        return Hub.current().threadPool().enter().left();
    }

    @Override
    public int beginOpen(String name) {
        return name != null && Fiber.current() != null && FileHooks.isSpecial(name) && move() ? MOVED : NOTHING;
    }

    @Override
    public int beginOffloaded() {
        return Fiber.current() != null && move() ? MOVED : NOTHING;
    }

    @Override
    public void end(int token) {
        if (token == TIMED) {
            NativeWaits.end();
        } else if (token == MOVED) {
            Away away = Away.current();
            if (away != null) {
                away.comeHome();
            }
        }
    }

    @Override
    public boolean pieces(FileDescriptor descriptor) {
        return Fiber.current() != null && kind(descriptor) == SPECIAL;
    }

    @Override
    public void closing(FileDescriptor descriptor) {
        int number = FileHooks.number(descriptor);
        FileHooks.forget(descriptor);
        if (number >= 0) {
            Descriptors.closing(number);
        }
    }

    @Override
    public void beginBlocking() {
        NativeWaits.begin();
    }

    @Override
    public void endBlocking() {
        NativeWaits.end();
    }
}
