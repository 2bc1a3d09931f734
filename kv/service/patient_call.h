// PatientCall: a call that waits for work of the store that may take minutes.

#ifndef PONTOON_KV_SERVICE_PATIENT_CALL_H_
#define PONTOON_KV_SERVICE_PATIENT_CALL_H_

#include <grpcpp/support/server_callback.h>

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace pontoon::kv {

// A physical compaction waits until the old versions are removed, a defragmentation until all
// tables are rewritten. The call goes through two phases. While there may be a command under way it
// is an ordinary write and ends with that, by FinishNow. Then it may wait, for minutes: a client
// that gives up meanwhile, or a server that stops, does not wait for the work, so the wait ends
// with the work or with the call's cancellation, whichever comes first.
//
// Owns itself: gRPC deletes it through OnDone.
//
// Thread safety: all methods may be called from any thread. FinishNow and Wait exclude each other,
// and the object may be gone when they return.
class PatientCall final : public grpc::ServerUnaryReactor {
 public:
  using Callback = absl::AnyInvocable<void(absl::Status) &&>;

  PatientCall();

  // Ends the call in its first phase.
  void FinishNow(const absl::Status& status);

  // Begins the second phase. The callback ends the call, if it has not ended before.
  Callback Wait();

  void OnCancel() override;
  void OnDone() override;

 private:
  // Lives for as long as a callback refers to it, which may be long after the call.
  struct Phase {
    absl::Mutex mutex;
    PatientCall* waiting ABSL_GUARDED_BY(mutex) = nullptr;  // set in the second phase only
    bool cancelled ABSL_GUARDED_BY(mutex) = false;
  };
  // Ends the call if it waits.
  static void EndWait(Phase& phase, const absl::Status& status);

  const std::shared_ptr<Phase> phase_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_PATIENT_CALL_H_
