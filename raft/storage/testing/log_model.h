// A segmented log on a faulty disk, and what it should hold, for tests that read as scripts.

#ifndef PONTOON_RAFT_STORAGE_TESTING_LOG_MODEL_H_
#define PONTOON_RAFT_STORAGE_TESTING_LOG_MODEL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "raft/base/membership.h"
#include "raft/base/types.h"
#include "raft/env/testing/faulty_file_system.h"
#include "raft/storage/segmented_log.h"

namespace pontoon::raft {

// The payload that the entry at `index` of `term` has in all these tests.
std::string PayloadFor(LogIndex index, Term term);

// The configuration that tests know by the number `version`, and its bytes.
Membership MembershipOf(uint64_t version);
std::string MembershipBytes(uint64_t version);

// Entries from `first` on, one for each of `terms`.
std::vector<Entry> MakeEntries(uint64_t first, const std::vector<uint64_t>& terms);

// What a log holds, in a form that compares and prints: the base, the terms of the entries after
// it, and the configurations.
struct LogState {
  HardState hard_state;
  LogPosition base;
  std::vector<uint64_t> terms;
  // By the index of the entry that brought it; the oldest may be of an entry before the base.
  std::map<LogIndex, uint64_t> memberships{};

  LogIndex last() const { return base.index + terms.size(); }
  void Apply(const PersistBatch& batch);
  // `membership` is one of MembershipBytes, or empty.
  void ResetTo(LogPosition new_base, const std::string& membership);
  // The members file is written, and nothing else: the configuration takes the place of what was in
  // effect at the base.
  void ReplaceOldestMembership(uint64_t version);
  // Drops the entries up to `upto`, which is the base or one of them.
  void DropPrefix(LogIndex upto);

  // "term 3 vote 1; after 4/2: 2 2 3", and then "; members 4:7 6:8" if there are any.
  std::string ToString() const;
  friend bool operator==(const LogState&, const LogState&) = default;
};

// Builders of batches.
PersistBatch AppendBatch(uint64_t first, const std::vector<uint64_t>& terms);
// One entry that brings the configuration `version`.
PersistBatch MembershipBatch(uint64_t index, uint64_t term, uint64_t version);
PersistBatch ReplaceBatch(uint64_t truncate_from, const std::vector<uint64_t>& terms);
PersistBatch VoteBatch(uint64_t term, uint64_t vote);
PersistBatch ResetBatch(LogPosition base, const std::vector<uint64_t>& terms,
                        const std::string& membership = "");

// The log, its disk, and its folder. Not thread safe, except that the log's own methods are.
class LogOnFaultyDisk {
 public:
  static constexpr const char* kDir = "/log";

  explicit LogOnFaultyDisk(SegmentedLogOptions options = {}) : options_(options) {}

  FaultyFileSystem& disk() { return disk_; }
  LogStore& log() { return *log_; }
  const RecoveredLog& recovered() const { return recovered_; }

  // Opens the log, and checks that what it says it holds is what can be read. The log that was open
  // before is closed first.
  absl::Status Open();
  // What the last Open found.
  LogState State() const;

  // Writes what a node would: before entries of a term that the log does not know yet, the term.
  absl::Status Write(std::vector<PersistBatch> batches);

  // What can be read now, with its payloads checked.
  std::vector<uint64_t> ReadTerms(uint64_t first, uint64_t last) const;

  // Full paths of the segments, oldest first.
  std::vector<std::string> SegmentPaths() const;
  std::string NewestSegment() const { return SegmentPaths().back(); }

 private:
  const SegmentedLogOptions options_;
  FaultyFileSystem disk_;
  std::unique_ptr<LogStore> log_;
  RecoveredLog recovered_;
  Term term_;  // that the log knows
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_TESTING_LOG_MODEL_H_
