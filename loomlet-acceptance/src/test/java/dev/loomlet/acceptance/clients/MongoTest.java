package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.Filters;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import dev.loomlet.acceptance.ClientOnHub;
import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.SlowLine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.bson.Document;
import org.jspecify.annotations.Nullable;

/** Its connections are in its own pool; a slow call goes over a slow line. */
class MongoTest extends ClientOnHub {
    private @Nullable SlowLine line;
    private @Nullable MongoClient client;

    @Override
    protected Library library() {
        return Library.client("MongoDB driver, synchronous", MongoClients.class, "Mongo Java Server");
    }

    @Override
    protected void open() throws Exception {
        MongoServer peer = new MongoServer(new MemoryBackend());
        int port = peer.bind().getPort();
        closeLater(peer::shutdownNow);
        line = closeLater(new SlowLine(port));
        client = closeLater(MongoClients.create("mongodb://127.0.0.1:" + line.port() + "/?maxPoolSize=" + CALLS
                + "&heartbeatFrequencyMS=60000"));
    }

    private MongoCollection<Document> collection() {
        return Objects.requireNonNull(client).getDatabase("loomlet").getCollection("greenlets");
    }

    @Override
    protected void rightResults() {
        Objects.requireNonNull(line).delay(Duration.ZERO);
        MongoCollection<Document> all = collection();
        all.deleteMany(new Document());
        for (int i = 0; i < 20; i++) {
            all.insertOne(new Document("number", i).append("name", "Łódź 東京 " + i));
        }
        List<String> names = new ArrayList<>();
        all.find(Filters.gte("number", 17)).forEach(each -> names.add(each.getString("name")));
        assertThat(names).containsExactlyInAnyOrder("Łódź 東京 17", "Łódź 東京 18", "Łódź 東京 19");
    }

    @Override
    protected void slowCall(int number, Duration latency) {
        Objects.requireNonNull(line).delay(latency);
        assertThat(collection().find(Filters.eq("number", -1)).first()).isNull();
    }

    @Override
    protected int inside() {
        return Objects.requireNonNull(line).inside();
    }

    @Override
    protected boolean hasTls() {
        return false;
    }
}
