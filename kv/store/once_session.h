// Writes that are to have an effect once, as records of the store.
//
// After RIFL (Lee, Park, Kejriwal, Matsushita, Ousterhout: "Implementing Linearizability at Large
// Scale and Low Latency", SOSP 2015): a write has a name, its completion is recorded in the same
// step as its effect, and a client's lease bounds how long that is kept.

#ifndef PONTOON_KV_STORE_ONCE_SESSION_H_
#define PONTOON_KV_STORE_ONCE_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/store/kv_result.h"
#include "kv/store/record_reader.h"
#include "kv/store/revision.h"
#include "kv/store/write_overlay.h"
#include "proto/command.pb.h"

namespace pontoon::kv {

// So many writes of a session may be decided and not yet below its `answered_below`.
inline constexpr uint64_t kOnceWritesMax = 1024;
// An answer that is larger is not kept, only that it was given.
inline constexpr size_t kOnceAnswerBytesMax = 16 << 10;

// What the store knows of the writes of one session, for the time of one command. A session is a
// lease, and begins with its first write.
//
// Every write is decided once: with its effect, or with the error for which it had none. A copy
// that comes later, be it sent again or late, gets that decision. So it is known of a write that
// was decided, and of one whose session is over, that no copy of it will ever have an effect.
//
// Thread safety: none.
class OnceSession {
 public:
  // Nothing if there is no such lease. An error: the storage failed.
  static absl::StatusOr<std::optional<OnceSession>> Load(LeaseId lease, WriteOverlay* overlay);

  // The client has all answers below `sequence`. An error: the storage failed.
  absl::Status ForgetBelow(uint64_t sequence);

  // What was decided of the write; nothing if it was not decided, or is forgotten. An error: the
  // storage failed.
  absl::StatusOr<std::optional<storage::v1::OnceDecision>> Find(uint64_t sequence) const;

  // OK if a write of which nothing is known may be decided: ErrOnceForgotten, ErrOnceTooMany.
  absl::Status Admit(uint64_t sequence) const;

  // Keeps what was decided of a write that was admitted.
  void Keep(uint64_t sequence, uint64_t fingerprint, const KvResult& decided);

 private:
  struct State {
    uint64_t forgotten_below = 1;
    uint64_t decisions = 0;  // that are kept
  };

  OnceSession(LeaseId lease, const State& state, WriteOverlay* overlay)
      : lease_(lease), state_(state), overlay_(overlay) {}

  void PutState();

  LeaseId lease_;
  State state_;
  WriteOverlay* overlay_;
};

// What `decision` gives again, with ErrOnceAnswerTooLarge where it was not kept.
KvResult Repeat(const storage::v1::OnceDecision& decision);

// With a lease all is forgotten of the writes that go by it. An error: the storage failed.
absl::Status ForgetOnceSession(LeaseId lease, WriteOverlay* overlay);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_ONCE_SESSION_H_
