package dev.loomlet.acceptance.peers;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.grpc.testing.protobuf.SimpleRequest;
import io.grpc.testing.protobuf.SimpleResponse;
import io.grpc.testing.protobuf.SimpleServiceGrpc;

/** A service of gRPC that answers questions. */
public final class GrpcService extends SimpleServiceGrpc.SimpleServiceImplBase {
    /** How it answers. */
    @FunctionalInterface
    public interface Answering {
        /** Answers. */
        String to(String question) throws Exception;
    }

    private final Answering answering;

    /** One that answers so. */
    public GrpcService(Answering answering) {
        this.answering = answering;
    }

    @Override
    public void unaryRpc(SimpleRequest request, StreamObserver<SimpleResponse> responses) {
        ((ServerCallStreamObserver<SimpleResponse>) responses).setOnCancelHandler(() -> {
            // nobody is told: what is sent from now on is dropped
        });
        String answer;
        try {
            answer = answering.to(request.getRequestMessage());
        } catch (Exception e) {
            responses.onError(io.grpc.Status.INTERNAL.withDescription(e.toString()).asException());
            return;
        }
        responses.onNext(response(answer));
        responses.onCompleted();
    }

    /** Answers each word by itself. */
    @Override
    public void serverStreamingRpc(SimpleRequest request, StreamObserver<SimpleResponse> responses) {
        try {
            for (String word : request.getRequestMessage().split(" ", -1)) {
                responses.onNext(response(answering.to("upper " + word)));
            }
            responses.onCompleted();
        } catch (Exception e) {
            responses.onError(e);
        }
    }

    /** The request for a question. */
    public static SimpleRequest request(String question) {
        return SimpleRequest.newBuilder().setRequestMessage(question).build();
    }

    private static SimpleResponse response(String answer) {
        return SimpleResponse.newBuilder().setResponseMessage(answer).build();
    }
}
