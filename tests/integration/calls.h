// Calls of the API that Client has no method for.

#ifndef PONTOON_TESTS_INTEGRATION_CALLS_H_
#define PONTOON_TESTS_INTEGRATION_CALLS_H_

#include <google/protobuf/text_format.h>
#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "raft/base/check.h"
#include "tests/integration/client.h"

namespace pontoon::testing {

// What a call is made with. By default it outlasts the patience of any server.
struct CallOptions {
  std::map<std::string, std::string> metadata = {};
  absl::Duration timeout = absl::Seconds(20);
};

// A message in the text format of Protocol Buffers.
template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// Of one call.
class CallContext {
 public:
  explicit CallContext(const CallOptions& options = {}) {
    context_.set_deadline(absl::ToChronoTime(absl::Now() + options.timeout));
    context_.set_wait_for_ready(true);
    for (const auto& [key, value] : options.metadata) context_.AddMetadata(key, value);
  }
  grpc::ClientContext* get() { return &context_; }

 private:
  grpc::ClientContext context_;
};

// Call<Lease>(client, &Lease::Stub::LeaseRevoke, request).
template <typename Service, typename Request, typename Response>
Answer<Response> Call(const Client& client,
                      grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                      const Request& request, const CallOptions& options = {}) {
  CallContext context(options);
  Answer<Response> answer;
  const auto stub = Service::NewStub(client.channel());
  answer.status = (stub.get()->*method)(context.get(), request, &answer.response);
  return answer;
}

// How a stream of answers ends.
template <typename Service, typename Request, typename Response>
grpc::Status EndOfStream(const Client& client,
                         std::unique_ptr<grpc::ClientReader<Response>> (Service::Stub::*method)(
                             grpc::ClientContext*, const Request&),
                         const Request& request, const CallOptions& options = {}) {
  CallContext context(options);
  const auto stub = Service::NewStub(client.channel());
  const auto stream = (stub.get()->*method)(context.get(), request);
  Response response;
  while (stream->Read(&response)) continue;
  return stream->Finish();
}

// How a stream in both directions ends by itself; `request` is all that it is sent.
template <typename Service, typename Request, typename Response>
grpc::Status EndOfStream(const Client& client,
                         std::unique_ptr<grpc::ClientReaderWriter<Request, Response>> (
                             Service::Stub::*method)(grpc::ClientContext*),
                         const Request& request, const CallOptions& options = {}) {
  CallContext context(options);
  const auto stub = Service::NewStub(client.channel());
  const auto stream = (stub.get()->*method)(context.get());
  stream->Write(request);
  Response response;
  while (stream->Read(&response)) continue;
  return stream->Finish();
}

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_CALLS_H_
