package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.AgentProcess;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each of these is proved in a process that has the agent. */
class UnderTheAgentTest {
    @Test
    void sqliteWithAnOffloadingRule() throws Exception {
        AgentProcess.run(SqliteWithOffloading.class, "offload=org.sqlite.core.NativeDB#*",
                List.of("-Dloomlet.threadpool.size=20"));
    }

    @Test
    void jedisWithItsDefaultPool() throws Exception {
        AgentProcess.run(JedisWithDefaultPool.class, "", List.of());
    }

    @Test
    void hikari() throws Exception {
        AgentProcess.run(HikariUnderAgent.class, "", List.of());
    }
}
