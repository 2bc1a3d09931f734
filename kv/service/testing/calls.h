// What tests of services make calls with.

#ifndef PONTOON_KV_SERVICE_TESTING_CALLS_H_
#define PONTOON_KV_SERVICE_TESTING_CALLS_H_

#include <google/protobuf/text_format.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "kv/errors.h"
#include "kv/store/kv_store.h"
#include "kv/store/store_options.h"

namespace pontoon::kv {

// A message from protobuf's text.
template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// Whether a call failed with `error`, code and text.
testing::AssertionResult Failed(const grpc::Status& status, const ApiError& error);

// What a call is made with; a new one for each call.
struct Call {
  Call() { context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30)); }
  grpc::ClientContext* get() { return &context; }

  grpc::ClientContext context;
};

// Of a client that is served only while there is a leader.
struct InsistingCall : Call {
  InsistingCall() { context.AddMetadata("hasleader", "true"); }
};

// Of a client that believes in a fence on whatever it calls.
struct FencedCall : Call {
  FencedCall() {
    context.AddMetadata("pontoon-fence-key", "lock/1");
    context.AddMetadata("pontoon-fence-revision", "2");
  }
};

// Whether a call was refused for such metadata, which it would not have heeded.
testing::AssertionResult RefusedForItsFence(const grpc::Status& status);

// An empty store in a folder of the present test's own; `name` keeps apart several of one test.
std::unique_ptr<KvStore> OpenFreshStore(const StoreOptions& options = {},
                                        const std::string& name = "store");

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_TESTING_CALLS_H_
