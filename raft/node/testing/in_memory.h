// What a node works with, without disk and network: for tests in one process.

#ifndef PONTOON_RAFT_NODE_TESTING_IN_MEMORY_H_
#define PONTOON_RAFT_NODE_TESTING_IN_MEMORY_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/membership_history.h"
#include "raft/base/state_machine.h"
#include "raft/base/types.h"
#include "raft/core/message.h"
#include "raft/env/executor.h"
#include "raft/storage/log_store.h"
#include "raft/transport/transport.h"

namespace pontoon::raft {

// A log in memory. It outlives its node as a disk would.
//
// Thread safety: all methods may be called from any thread.
class MemoryLog final : public LogStore {
 public:
  absl::Status Write(std::span<const PersistBatch> batches) override;
  absl::StatusOr<std::vector<Entry>> Read(LogIndex first, LogIndex last,
                                          size_t bytes_max) const override;
  absl::Status DropPrefix(LogIndex upto) override;
  LogPosition base() const override;
  uint64_t SizeBytes() const override;
  absl::Status ResetTo(LogPosition base, std::string membership) override;

  // What a node that starts anew on this log would find.
  RecoveredLog Recovered() const;
  // From now on every change fails.
  void Break();
  // From now on every Read gives this; OK: the entries again.
  void FailReads(absl::Status status);
  int writes() const;

 private:
  LogIndex last() const { return base_.index + entries_.size(); }
  void Reset(LogPosition base, const std::string& membership);

  mutable std::mutex mutex_;
  HardState hard_state_;
  LogPosition base_;
  std::optional<MembershipHistory::Item> base_membership_;  // in effect at base_
  std::deque<Entry> entries_;                               // after base_
  bool broken_ = false;
  absl::Status read_status_;
  int writes_ = 0;
};

// A state machine that keeps the commands that it is given, in their order. The result of a
// command is its place among them.
//
// Thread safety: as StateMachine; commands() may be called from any thread.
class Journal final : public StateMachine {
 public:
  struct Result final : ApplyResult {
    size_t place = 0;
  };

  LogPosition Applied() const override;
  absl::Status Apply(std::span<ApplyItem> items) override;
  absl::StatusOr<std::string> Membership() const override;
  absl::Status Sync() override;
  absl::StatusOr<std::unique_ptr<SnapshotSource>> OpenSnapshot() override;
  absl::StatusOr<std::unique_ptr<SnapshotSink>> BeginSnapshot(LogPosition position) override;
  absl::Status Install(std::unique_ptr<SnapshotSink> sink) override;

  std::vector<std::string> commands() const;
  // The sizes of the batches that were applied.
  std::vector<size_t> batches() const;
  // From now on every Apply, Sync and Install fails.
  void Break();

 private:
  mutable std::mutex mutex_;
  LogPosition applied_;
  std::string membership_;
  std::vector<std::string> commands_;
  std::vector<size_t> batches_;
  bool broken_ = false;
};

// Connects the nodes of a process. Messages arrive soon, in order, on a thread of the network.
//
// Thread safety: all methods may be called from any thread.
class LocalNetwork final : public Transport {
 public:
  void Send(std::vector<Message> messages) override;

  // Begins to deliver to `node`; null ends it, and returns when no call is under way.
  void Connect(NodeId node, TransportReceiver* receiver);
  // What is sent to and from `node` is lost.
  void Isolate(NodeId node);
  void Rejoin(NodeId node);
  // Messages for which `is_lost` is true are lost. It is called on the network's thread, with a
  // lock held.
  void Lose(std::function<bool(const Message&)> is_lost);

 private:
  void Deliver(std::vector<Message> messages);

  // Held while a receiver is called, so that a test may take one away. A receiver sends, which
  // takes no lock.
  std::mutex mutex_;
  std::map<NodeId, TransportReceiver*> receivers_;
  std::set<NodeId> isolated_;
  std::function<bool(const Message&)> is_lost_;  // may be null
  const std::unique_ptr<Executor> wire_ = NewThreadExecutor("local-network");
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_TESTING_IN_MEMORY_H_
