#include "tests/integration/calls.h"

#include <grpcpp/generic/generic_stub.h>

namespace pontoon::testing {

grpc::Status CallByName(const Client& client, const std::string& method) {
  CallContext context;
  grpc::GenericStub stub(client.channel());
  grpc::CompletionQueue queue;
  const auto call =
      stub.PrepareUnaryCall(context.get(), method, grpc::ByteBuffer(nullptr, 0), &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag;
  bool ok;
  queue.Next(&tag, &ok);
  return status;
}

}  // namespace pontoon::testing
