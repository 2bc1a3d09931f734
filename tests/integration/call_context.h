// CallContext: what the call of a test is made with.

#ifndef PONTOON_TESTS_INTEGRATION_CALL_CONTEXT_H_
#define PONTOON_TESTS_INTEGRATION_CALL_CONTEXT_H_

#include <grpcpp/client_context.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/integration/cluster.h"

namespace pontoon::testing {

// Waits for a connection, and not longer for an answer than a healthy cluster may take.
class CallContext {
 public:
  CallContext() {
    context_.set_deadline(absl::ToChronoTime(absl::Now() + Cluster::kPatience));
    context_.set_wait_for_ready(true);
  }
  grpc::ClientContext* get() { return &context_; }

 private:
  grpc::ClientContext context_;
};

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_CALL_CONTEXT_H_
