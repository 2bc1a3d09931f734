// Shows ThreadSanitizer what gRPC orders.
//
// Debian's gRPC is compiled without ThreadSanitizer, and orders some things by atomic variables of
// its own: the sanitizer does not see that the end of a batch of operations comes after its start,
// that a call is served after its request arrived, and that it is over after all its reactions. It
// would report a race between whoever starts a write and the reaction to it. So a program that is
// built for ThreadSanitizer defines the functions at both ends itself (see absl_locks.cc, which
// makes the locks of gRPC visible). No operation of another kind is known to need it.

#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <sanitizer/tsan_interface.h>

#include <atomic>
#include <utility>

#include "absl/status/status.h"
#include "third_party/tsan/next_definition.h"

using pontoon::tsan::NextDefinition;

// The start of a batch, which `tag` names, happens before its end is taken from a queue; gRPC's own
// threads take it there too before they run a reaction.
extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t count, void* tag,
                                      void* reserved) {
  static auto* const start =
      NextDefinition<decltype(grpc_call_start_batch)>("grpc_call_start_batch");
  __tsan_release(tag);
  return start(call, ops, count, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline,
                                      void* reserved) {
  static auto* const next =
      NextDefinition<decltype(grpc_completion_queue_next)>("grpc_completion_queue_next");
  const grpc_event event = next(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  static auto* const pluck =
      NextDefinition<decltype(grpc_completion_queue_pluck)>("grpc_completion_queue_pluck");
  const grpc_event event = pluck(queue, tag, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

}  // extern "C"

// What the core calls to put `tag` into a queue. The thread on which a request arrives makes the
// call's objects and never starts a batch: it is here that it hands them over.
struct grpc_cq_completion;
void grpc_cq_end_op(grpc_completion_queue* queue, void* tag, absl::Status error,
                    void (*done)(void* done_arg, grpc_cq_completion* storage), void* done_arg,
                    grpc_cq_completion* storage, bool internal) {
  static auto* const end = NextDefinition<decltype(grpc_cq_end_op)>(
      "_Z14grpc_cq_end_opP21grpc_completion_queuePvN4absl7debian36StatusE"
      "PFvS1_P18grpc_cq_completionES1_S6_b");
  __tsan_release(tag);
  end(queue, tag, std::move(error), done, done_arg, storage, internal);
}

namespace grpc::internal {
namespace {

// The names of private members may be arguments of an explicit instantiation.
std::atomic_int ServerCallbackCall::*CallbacksOutstanding();
template <std::atomic_int ServerCallbackCall::*kMember>
struct Reveal {
  friend std::atomic_int ServerCallbackCall::*CallbacksOutstanding() { return kMember; }
};
template struct Reveal<&ServerCallbackCall::callbacks_outstanding_>;

}  // namespace

// Called by whoever counted the reactions of a call down to nought, which may be code of the
// library. What the others did before they counted happens before the end of the call.
void ServerCallbackCall::ScheduleOnDone(bool inline_ondone) {
  static auto* const schedule = NextDefinition<void(ServerCallbackCall*, bool)>(
      "_ZN4grpc8internal18ServerCallbackCall14ScheduleOnDoneEb");
  __tsan_acquire(&(this->*CallbacksOutstanding()));
  schedule(this, inline_ondone);
}

}  // namespace grpc::internal
