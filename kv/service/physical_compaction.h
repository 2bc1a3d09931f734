// PhysicalCompaction: a call that waits until compacted versions are gone from the disk.

#ifndef PONTOON_KV_SERVICE_PHYSICAL_COMPACTION_H_
#define PONTOON_KV_SERVICE_PHYSICAL_COMPACTION_H_

#include <grpcpp/support/server_callback.h>

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "kv/store/scrubber.h"

namespace pontoon::kv {

// The call goes through two phases. While the command is under way it is an ordinary write and ends
// with that, by FinishNow. Then it may wait, for minutes, until the old versions are removed: a
// client that gives up meanwhile, or a server that stops, does not wait for it, so the wait ends
// with the removal or with the call's cancellation, whichever comes first.
//
// Owns itself: gRPC deletes it through OnDone.
//
// Thread safety: all methods may be called from any thread. FinishNow and Wait exclude each other,
// and the object may be gone when they return.
class PhysicalCompaction final : public grpc::ServerUnaryReactor {
 public:
  PhysicalCompaction();

  // Ends the call in its first phase.
  void FinishNow(const absl::Status& status);

  // Begins the second phase. The callback ends the call, if it has not ended before.
  ScrubCallback Wait();

  void OnCancel() override;
  void OnDone() override;

 private:
  // Lives for as long as a callback refers to it, which may be long after the call.
  struct Phase {
    absl::Mutex mutex;
    PhysicalCompaction* waiting ABSL_GUARDED_BY(mutex) = nullptr;  // set in the second phase only
    bool cancelled ABSL_GUARDED_BY(mutex) = false;
  };
  // Ends the call if it waits.
  static void EndWait(Phase& phase, const absl::Status& status);

  const std::shared_ptr<Phase> phase_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_PHYSICAL_COMPACTION_H_
