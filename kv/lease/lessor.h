// Lessor: the clock by which leases end.

#ifndef PONTOON_KV_LEASE_LESSOR_H_
#define PONTOON_KV_LEASE_LESSOR_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "kv/lease/lease_question.h"
#include "kv/lease/lease_table.h"
#include "kv/store/kv_store.h"
#include "kv/store/store_observer.h"
#include "proto/command.pb.h"
#include "raft/base/instant.h"
#include "raft/base/types.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// The store of every member knows which leases exist. How long each of them lives is known to the
// lessor of the member that leads, and to no other, and it is known in memory only: so to renew a
// lease costs no entry of the log, and a new leader grants every lease its TTL again. To end a
// lease that has expired is a command. Four rules make that safe:
//
// - A lessor keeps time in one term. It begins with the leases of a view that shows all that was
//   committed in the terms before, and forgets everything when its member does not lead that term
//   any more.
// - What it puts into the log names its term, and has no effect in another one: while a revocation
//   is under way, a new leader may have let the lease be renewed.
// - It answers only after a quorum, or the leader's lease, has confirmed that the member led after
//   the question came, and no later than an election timeout after it asked for that. A new leader
//   adds an election timeout to each TTL, so that it lets a lease live for longer than any leader
//   before it has promised, even one that stood still for a while (etcd issue 15247).
// - A lease whose revocation is under way is not renewed before it is known what became of that: no
//   lease ends before the time that the answer to a renewal has promised (etcd issue 20615).
//
// A lease with a long TTL would live for nearly twice as long if the leader changed before it ends,
// and for ever if leaders change often enough. So for those it is noted in the log now and then
// how much is left (a checkpoint); the first renewal after that clears the note before it is
// answered.
//
// A question is answered as a whole and at one time: if it has to wait for one of its leases, all
// of it is confirmed and answered anew after that. For a renewal promises the TTL from the answer
// on, however long it has waited.
//
// Thread safety: Ask may be called from any thread; OnStep by the store. The rest happens on the
// executor.
class Lessor final : public StoreObserver {
 public:
  struct Parts {  // all borrowed
    raft::Replica* replica;
    KvStore* store;
    const Clock* clock;
    Executor* executor;  // reads the store
  };
  struct Options {
    absl::Duration election_timeout = absl::Seconds(1);
    // How often it is looked who leads, and what has expired.
    absl::Duration look_interval = absl::Milliseconds(100);
    // Leases with a longer TTL have checkpoints, so often.
    absl::Duration checkpoint_interval = absl::Minutes(5);
  };

  // Leases in questions that wait; more are refused.
  static constexpr size_t kAskedMax = 1 << 16;
  // Revocations that are under way. The rate is not bounded.
  static constexpr size_t kRevocationsMax = 512;
  // In one command; one command is under way.
  static constexpr size_t kCheckpointsMax = 1000;

  // At work from then on.
  Lessor(const Parts& parts, const Options& options);
  // The executor must be gone, and Close have been called before that.
  ~Lessor() override;

  Lessor(const Lessor&) = delete;
  Lessor& operator=(const Lessor&) = delete;

  // Calls `done` later, on the executor. ErrNotLeader: this member does not lead, or that could
  // not be confirmed; then nothing was renewed, or the renewal counts for nothing.
  // ErrTooManyRequests.
  void Ask(LeaseQuestion question, LeaseAnswerCallback done);

  void OnStep(const StoreStep& step) override;

  struct Statistics {
    int64_t leases = 0;    // whose time is kept; none unless the member leads
    uint64_t expired = 0;  // that were revoked here so far
  };
  // From any thread.
  Statistics Stats() const { return {leases_count_, expired_count_}; }

  // After this nothing more is posted to the executor, and Ask is not called any more. Those that
  // wait get no answer.
  void Close();

 private:
  enum class Stage : uint8_t {
    kResting,     // the member does not lead
    kConfirming,  // it does, and has yet to see what was committed before
    kKeepingTime,
  };

  struct Asked {
    LeaseQuestion question;
    LeaseAnswerCallback done;
    std::vector<int64_t> answer;
  };
  using AskedOnes = std::vector<std::unique_ptr<Asked>>;

  // What became of a revocation.
  enum class Fate : uint8_t { kNotRevoked, kRevoked, kUnknown };
  struct Revocation {
    Term term;
    LeaseId lease;
    Fate fate = Fate::kUnknown;
  };
  struct Confirmation {
    uint64_t number = 0;
    absl::Status status;
  };
  // The end of a command that clears checkpoints.
  struct Clearing {
    Term term;
    bool done = false;
    AskedOnes asked;
  };

  // What other threads tell.
  struct Mail {
    AskedOnes asked;
    std::vector<LeaseChange> changes;
    bool state_installed = false;
    std::optional<Confirmation> confirmation;  // the latest
    std::vector<Revocation> revocations;
    std::vector<Clearing> clearings;
    std::optional<Term> checkpointed;  // the command with checkpoints of this term has ended
  };
  // Lives for as long as a callback refers to it, which may be longer than the lessor.
  class Mailbox;

  void Run();
  // Begins, or ends, to keep time as the member leads or not.
  void LookWhoLeads();
  void Rest();
  absl::Status BeginToKeepTime();
  bool IsKeepingTimeIn(Term term) const;
  void OnChange(const LeaseChange& change, Instant now);

  // Asks whether the member leads, if anybody waits for that.
  void Confirm();
  void OnConfirmation(const Confirmation& confirmation, Instant now);
  // Answers what can be answered by a leader that is confirmed.
  void AnswerAll(AskedOnes asked, Instant now);
  // Fills in the answer. False if it is to be had only later: when a revocation has come to
  // something, or when the checkpoints are cleared that are added to `to_clear`.
  bool Answer(Asked* asked, Instant now, storage::v1::LeaseCheckpoints* to_clear);
  void ClearCheckpoints(storage::v1::LeaseCheckpoints checkpoints, AskedOnes asked, Instant now);
  void OnClearing(Clearing clearing);
  void Finish(std::unique_ptr<Asked> asked);
  void Fail(AskedOnes asked, const absl::Status& error);
  void ReleaseHeld();

  // Goes through what is due.
  void Expire(Instant now);
  void Revoke(LeaseId lease, Instant now);
  void OnRevocation(const Revocation& revocation, Instant now);
  void ProposeCheckpoints(Instant now);
  absl::Duration TtlOf(const TimedLease& lease) const;
  bool HasCheckpoints(const TimedLease& lease) const;
  Instant DueOf(const TimedLease& lease, Instant now) const;

  const Parts parts_;
  const Options options_;
  const NodeId self_;
  const std::shared_ptr<Mailbox> mailbox_;
  // Whether anybody wants to know of changes of leases.
  std::atomic<bool> follows_changes_ = false;
  std::atomic<int64_t> leases_count_ = 0;
  std::atomic<uint64_t> expired_count_ = 0;

  // ---- on the executor
  Stage stage_ = Stage::kResting;
  Term term_;  // in which time is kept, or will be
  LeaseTable leases_;

  AskedOnes waiting_;            // for the next confirmation
  AskedOnes being_confirmed_;    // wait for the one that was asked for
  bool confirming_ = false;      // one was asked for
  uint64_t confirmation_ = 0;    // its number
  Instant confirmation_asked_;   // when
  Instant confirm_again_;        // not before, after one has failed
  AskedOnes held_;               // wait for what becomes of revocations
  size_t revocations_ = 0;       // under way, in this term
  std::deque<LeaseId> unknown_;  // revocations to be proposed again
  std::deque<LeaseId> to_checkpoint_;
  bool checkpointing_ = false;  // a command is under way
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LEASE_LESSOR_H_
