import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.locks.*;
import java.util.concurrent.atomic.*;
import java.time.*;
/** Asks threads all that can be asked of them, where the answer is always the same. */
class ThreadApi {
    static class Mine extends Thread { int x = 7; Mine(String n){super(n);} @Override public void run(){ System.out.println("mine "+getName()+" "+(Thread.currentThread()==this)+" "+((Mine)Thread.currentThread()).x+" "+isAlive()+" "+getState()); } }
    static void say(Object o){ System.out.println(o); }
    public static void main(String[] args) throws Exception {
        Thread me = Thread.currentThread();
        say("main "+me.getName()+" "+me.getThreadGroup().getName()+" "+me.isDaemon()+" "+me.isVirtual()+" "+me.getPriority()+" "+me.isAlive());
        Mine m = new Mine("m1"); say(m.getState()+" "+m.isAlive()+" "+m.isDaemon());
        m.start(); m.join(); say(m.getState()+" "+m.isAlive()+" "+m.getThreadGroup());
        try { m.start(); say("BAD"); } catch (IllegalThreadStateException e) { say("ITSE"); }
        // names, currentThread ref
        Thread t = new Thread(() -> { say(Thread.currentThread().getName()); Thread.currentThread().setName("renamed"); });
        t.start(); t.join(); say(t.getName());
        // interrupt sleeping
        Thread s = new Thread(() -> { try { Thread.sleep(10000); say("BAD"); } catch (InterruptedException e) { say("interrupted "+Thread.currentThread().isInterrupted()); } }, "sleeper");
        s.start(); while (s.getState()!=Thread.State.TIMED_WAITING) Thread.sleep(1);
        say(s.getState()); StackTraceElement[] st = s.getStackTrace(); say(st.length>0 ? st[st.length-1].toString().replaceAll(":\\d+","") : "none"); s.interrupt(); s.join();
        // wait/notify
        Object lock = new Object(); boolean[] go = {false};
        Thread w = new Thread(() -> { synchronized (lock) { while (!go[0]) try { lock.wait(); } catch (InterruptedException e) { say("wi"); return; } say("notified"); } });
        w.start(); while (w.getState()!=Thread.State.WAITING) Thread.yield(); synchronized(lock){ go[0]=true; lock.notifyAll(); } w.join();
        Thread w2 = new Thread(() -> { synchronized (lock) { try { lock.wait(); } catch (InterruptedException e) { say("wait interrupted"); } } });
        w2.start(); while (w2.getState()!=Thread.State.WAITING) Thread.yield(); w2.interrupt(); w2.join();
        // join timeouts
        Thread l = new Thread(() -> { try { Thread.sleep(300); } catch (InterruptedException e) {} });
        l.start(); l.join(20); say(l.isAlive()); say(l.join(Duration.ofMillis(10))); say(l.join(Duration.ofSeconds(5))); 
        // interrupted join
        Thread j = new Thread(() -> { try { Thread.currentThread().join(); } catch (InterruptedException e) { say("join interrupted"); } });
        j.start(); while (j.getState()!=Thread.State.WAITING) Thread.yield(); j.interrupt(); j.join();
        // thread locals
        ThreadLocal<String> tl = ThreadLocal.withInitial(() -> "init"); InheritableThreadLocal<String> itl = new InheritableThreadLocal<>(); itl.set("inherited"); tl.set("main's");
        Thread tt = new Thread(() -> { say(tl.get()+" "+itl.get()); itl.set("x"); Thread k = new Thread(() -> say(itl.get())); k.start(); try {k.join();}catch(InterruptedException e){} }); tt.start(); tt.join(); say(tl.get()+" "+itl.get());
        // uncaught
        Thread u = new Thread(() -> { throw new IllegalStateException("boom"); }, "bad");
        u.setUncaughtExceptionHandler((th, e) -> say("handler "+th.getName()+" "+(th==u)+" "+e)); u.start(); u.join();
        Thread.setDefaultUncaughtExceptionHandler((th,e) -> say("default "+th.getName()+" "+e)); 
        Thread u2 = new Thread(() -> { throw new IllegalStateException("boom2"); }, "bad2"); u2.start(); u2.join();
        Thread.setDefaultUncaughtExceptionHandler(null);
        // park
        Thread p = new Thread(() -> { LockSupport.park("b"); say("unparked"); }); p.start(); while(p.getState()!=Thread.State.WAITING) Thread.yield(); say(LockSupport.getBlocker(p)); LockSupport.unpark(p); p.join();
        // executors
        ExecutorService pool = Executors.newFixedThreadPool(3); List<Future<String>> fs = new ArrayList<>();
        for (int i=0;i<5;i++){int n=i; fs.add(pool.submit(() -> { Thread.sleep(50); return n+" "+Thread.currentThread().getName().replaceAll("thread-\\d","thread-N")+" "+Thread.currentThread().isVirtual(); }));}
        for (var f: fs) say(f.get()); pool.shutdown(); say(pool.awaitTermination(1,TimeUnit.SECONDS));
        ScheduledExecutorService ses = Executors.newScheduledThreadPool(1); say(ses.schedule(() -> "sched "+Thread.currentThread().isVirtual(), 20, TimeUnit.MILLISECONDS).get()); say(ses.shutdownNow().size());
        Thread of = Thread.ofPlatform().name("of").daemon().start(() -> say("of "+Thread.currentThread().isDaemon()+" "+Thread.currentThread().toString().replaceAll("#\\d+","#n"))); of.join();
        // enumerate
        Thread e1 = new Thread(() -> { try { Thread.sleep(10000);} catch (InterruptedException e){} }, "enumme"); e1.start(); 
        Thread[] arr = new Thread[Thread.activeCount()+5]; int n = Thread.enumerate(arr); Set<String> names = new TreeSet<>(); for (int i=0;i<n;i++) names.add(arr[i].getName()); say(names);
        say(Thread.getAllStackTraces().containsKey(e1)+" "+Thread.getAllStackTraces().containsKey(me));
        e1.interrupt(); e1.join();
        ThreadGroup g = new ThreadGroup("grp"); Thread gt = new Thread(g, () -> { say(Thread.currentThread().getThreadGroup().getName()); say(new Thread(()->{}).getThreadGroup().getName()+" "+new Thread(()->{}).isDaemon());}); gt.start(); gt.join();
        Thread pr = new Thread(()->say(Thread.currentThread().getPriority())); pr.setPriority(8); pr.start(); pr.join();
        Thread bi = new Thread(() -> { say("pre-interrupted "+Thread.interrupted()+" "+Thread.interrupted()); }); bi.interrupt(); bi.start(); bi.join();
        java.util.function.Supplier<Thread> ref = Thread::currentThread; say(ref.get()==me);
        Thread.Builder.OfPlatform b = Thread.ofPlatform().name("w-",0); Thread x=b.unstarted(()->say(Thread.currentThread().getName())); x.start(); x.join();
        Thread dj = new Thread(() -> { synchronized (Thread.currentThread()) { try { Thread.currentThread().wait(20);} catch(InterruptedException e){} } }); dj.start(); dj.join();
        synchronized (dj) {} 
        ReentrantLock rl = new ReentrantLock(); rl.lock(); Thread lk = new Thread(() -> { rl.lock(); say("locked"); rl.unlock(); }); lk.start(); while(!rl.hasQueuedThread(lk)) Thread.sleep(1); say("queued"); rl.unlock(); lk.join();
        say(me.getContextClassLoader()==ThreadApi.class.getClassLoader() || me.getContextClassLoader()==ClassLoader.getSystemClassLoader());
        Thread last = new Thread(() -> { try { Thread.sleep(100);} catch(InterruptedException e){} say("last"); try { me.join(); } catch (InterruptedException e) {} say("main state "+me.getState()+" "+me.isAlive()); });
        last.start();
        Thread d = new Thread(() -> { try { Thread.sleep(100000);} catch(InterruptedException e){} say("BAD"); }); d.setDaemon(true); d.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> say("hook")));
        throw new RuntimeException("end of main");
    }
}
