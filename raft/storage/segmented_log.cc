#include "raft/storage/segmented_log.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "raft/base/check.h"
#include "raft/storage/begin_file.h"
#include "raft/storage/damage.h"
#include "raft/storage/log_format.h"
#include "raft/storage/log_recovery.h"
#include "raft/storage/members_file.h"
#include "raft/storage/segment.h"
#include "raft/storage/term_runs.h"
#include "raft/storage/vote_file.h"
#include "raft/storage/write_plan.h"

namespace pontoon::raft {
namespace {

// Readers share only `segments_` with the writer, for as long as it takes to note where to read. To
// drop a prefix takes several syncs, and the removal of large files: whoever does that shares it in
// the same way with the writer, and keeps it waiting only while it begins a segment.
class SegmentedLog final : public LogStore {
 public:
  SegmentedLog(FileSystem* fs, const std::string& dir, const SegmentedLogOptions& options)
      : fs_(fs),
        dir_(dir),
        options_(options),
        vote_file_(fs, dir),
        terms_(LogPosition{}),
        begin_file_(fs, dir),
        members_file_(fs, dir) {
    CHECK_GT(options.segment_bytes, kSegmentHeaderBytes);
    CHECK_GT(options.frame_bytes_max, 0u);
  }

  absl::Status Open();
  RecoveredLog Recovered() const;

  absl::Status Write(std::span<const PersistBatch> batches) override;
  absl::StatusOr<std::vector<Entry>> Read(LogIndex first, LogIndex last,
                                          size_t bytes_max) const override;
  absl::Status DropPrefix(LogIndex upto) override;
  LogPosition base() const override;
  uint64_t SizeBytes() const override;
  absl::Status ResetTo(LogPosition base, std::string membership) override;

 private:
  absl::Status OpenDir();
  using Members = std::optional<MembershipHistory::Item>;
  absl::Status OpenVote(const std::optional<LogBegin>& begin, const Members& members);
  absl::Status OpenSegments(const std::optional<LogBegin>& begin, Members members);
  void OpenMemberships(Members members, std::vector<MembershipHistory::Item> of_entries);
  absl::Status status() const;
  absl::Status Keep(const absl::Status& status);
  absl::Status WriteBatches(std::span<const PersistBatch> batches);
  absl::Status SaveVote(const HardState& state);
  absl::Status Reset(LogPosition base, absl::string_view membership);
  void NoteMembership(const Entry& entry);
  absl::Status Append(std::span<const Entry* const> entries);
  absl::Status AppendFrame(std::span<const Entry* const> entries, uint64_t frame_bytes);
  absl::Status BeginSegment(LogPosition previous, uint64_t frame_bytes);
  absl::Status BeginSegmentLocked(LogPosition previous, uint64_t frame_bytes);
  absl::Status DropSegments(LogIndex upto);

  FileSystem* const fs_;
  const std::string dir_;
  const SegmentedLogOptions options_;

  // Of the writing thread.
  VoteFile vote_file_;
  HardState hard_state_;
  TermRuns terms_;  // may begin earlier than the log: see WriteBatches
  uint64_t sequence_max_ = 0;
  std::string buffer_;  // of the frame being written

  // Held while it is decided which segments there are, on the disk and in segments_: the files
  // below must fit them at any time. Taken before mutex_.
  std::mutex structure_mutex_;
  BeginFile begin_file_;
  MembersFile members_file_;

  mutable std::mutex mutex_;  // guards all below
  absl::Status status_;       // the first error; final
  // By sequence and by index; the last one is written to.
  std::vector<Segment> segments_;
  // The oldest one is what the members file has; if it has nothing, one without voters.
  MembershipHistory memberships_;
};

absl::Status SegmentedLog::Open() {
  if (absl::Status s = OpenDir(); !s.ok()) return s;
  const absl::StatusOr<std::optional<LogBegin>> begin = begin_file_.Load();
  if (!begin.ok()) return begin.status();
  absl::StatusOr<Members> members = members_file_.Load();
  if (!members.ok()) return members.status();
  if (absl::Status s = OpenVote(*begin, *members); !s.ok()) return s;
  return OpenSegments(*begin, *std::move(members));
}

absl::Status SegmentedLog::OpenDir() {
  if (absl::Status s = fs_->CreateDir(dir_); !s.ok()) return s;
  return fs_->SyncDir(DirName(dir_));
}

// The vote file comes before the first segment into an empty folder, and stays. So if one of the
// two is there alone, the other was lost; but for a crash in between, which leaves the vote of a
// node that never voted. A begin file and a members file come after both.
absl::Status SegmentedLog::OpenVote(const std::optional<LogBegin>& begin, const Members& members) {
  const absl::StatusOr<std::vector<std::string>> names = fs_->ListDir(dir_);
  if (!names.ok()) return names.status();
  const bool has_segments = std::any_of(names->begin(), names->end(), IsSegmentFileName);
  const absl::StatusOr<std::optional<HardState>> loaded = vote_file_.Load();
  if (!loaded.ok()) return loaded.status();
  const bool has_later_files = begin.has_value() || members.has_value();
  if ((has_segments || has_later_files) && !loaded->has_value()) {
    return DamageError("vote file", vote_file_.path(), "missing beside a log");
  }
  if (!has_segments && (has_later_files || loaded->value_or(HardState{}) != HardState{})) {
    return DamageError("log", dir_, "missing beside a vote file");
  }
  hard_state_ = loaded->value_or(HardState{});
  return loaded->has_value() ? absl::OkStatus() : vote_file_.Save(hard_state_);
}

absl::Status SegmentedLog::OpenSegments(const std::optional<LogBegin>& begin, Members members) {
  absl::StatusOr<RecoveredSegments> found =
      RecoverSegments(fs_, dir_, options_.segment_bytes, begin, hard_state_.term);
  if (!found.ok()) return found.status();
  terms_ = std::move(found->terms);
  sequence_max_ = found->sequence_max;
  segments_ = std::move(found->segments);
  OpenMemberships(std::move(members), std::move(found->memberships));
  if (!segments_.empty()) return absl::OkStatus();
  return BeginSegment(LogPosition{}, 0);
}

void SegmentedLog::OpenMemberships(Members members,
                                   std::vector<MembershipHistory::Item> of_entries) {
  if (members.has_value()) {
    members->index = std::min(members->index, terms_.base().index);
    memberships_.ResetTo(*std::move(members));
  }
  for (MembershipHistory::Item& item : of_entries) memberships_.Append(std::move(item));
}

RecoveredLog SegmentedLog::Recovered() const {
  const std::vector<MembershipHistory::Item>& items = memberships_.items();
  const bool knows_oldest = !items.front().membership.voters.empty();
  return {.hard_state = hard_state_,
          .base = terms_.base(),
          .last = terms_.last(),
          .terms = terms_.runs(),
          .memberships = {knows_oldest ? items.begin() : std::next(items.begin()), items.end()}};
}

absl::Status SegmentedLog::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

// Keeps the first error. Returns it.
absl::Status SegmentedLog::Keep(const absl::Status& status) {
  std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = status;
  return status_;
}

absl::Status SegmentedLog::Write(std::span<const PersistBatch> batches) {
  if (absl::Status s = status(); !s.ok()) return s;
  return Keep(WriteBatches(batches));
}

absl::Status SegmentedLog::WriteBatches(std::span<const PersistBatch> batches) {
  // What was dropped since the last write.
  if (const LogIndex dropped = base().index; dropped > terms_.base().index) {
    terms_.DropPrefix(dropped);
  }
  const WritePlan plan = MakeWritePlan(batches, terms_.base().index, terms_.last());
  if (plan.hard_state.has_value()) {
    if (absl::Status s = SaveVote(*plan.hard_state); !s.ok()) return s;
  }
  if (plan.reset_to.has_value()) {
    const absl::string_view membership =
        plan.reset_membership ? *plan.reset_membership : absl::string_view();
    if (absl::Status s = Reset(*plan.reset_to, membership); !s.ok()) return s;
  }
  if (plan.truncate_from.has_value()) {
    terms_.TruncateFrom(*plan.truncate_from);
    {
      std::lock_guard lock(mutex_);
      memberships_.TruncateFrom(*plan.truncate_from);
    }
    const LogPosition previous{terms_.last(), terms_.TermAt(terms_.last())};
    if (absl::Status s = BeginSegment(previous, 0); !s.ok()) return s;
  }
  return Append(plan.entries);
}

absl::Status SegmentedLog::SaveVote(const HardState& state) {
  if (state == hard_state_) return absl::OkStatus();
  CHECK(state.term > hard_state_.term ||
        (state.term == hard_state_.term && hard_state_.vote == kNoNode))
      << "a term is never taken back, nor a vote in it: " << state.term << " " << state.vote;
  hard_state_ = state;
  return vote_file_.Save(state);
}

absl::Status SegmentedLog::Append(std::span<const Entry* const> entries) {
  while (!entries.empty()) {
    uint64_t payload_bytes = EncodedEntryBytes(*entries[0]);
    size_t count = 1;
    for (; count < entries.size(); ++count) {
      const uint64_t more = EncodedEntryBytes(*entries[count]);
      if (payload_bytes + more > options_.frame_bytes_max) break;
      payload_bytes += more;
    }
    const uint64_t frame_bytes = FrameBytesFor(payload_bytes);
    if (absl::Status s = AppendFrame(entries.first(count), frame_bytes); !s.ok()) return s;
    entries = entries.subspan(count);
  }
  return absl::OkStatus();
}

absl::Status SegmentedLog::AppendFrame(std::span<const Entry* const> entries,
                                       uint64_t frame_bytes) {
  const auto newest = [this] {
    std::lock_guard lock(mutex_);
    return std::pair(segments_.back().end(), segments_.back().file());
  };
  auto [place, file] = newest();
  if (place.offset + frame_bytes > options_.segment_bytes) {
    const LogPosition previous{terms_.last(), terms_.TermAt(terms_.last())};
    if (absl::Status s = BeginSegment(previous, frame_bytes); !s.ok()) return s;
    std::tie(place, file) = newest();
  }
  buffer_.clear();
  buffer_.reserve(frame_bytes);
  const FrameHeader header = EncodeFrame(place, entries, &buffer_);
  if (absl::Status s = file->WriteAt(place.offset, buffer_); !s.ok()) return s;
  if (absl::Status s = file->Sync(); !s.ok()) return s;
  for (const Entry* entry : entries) terms_.Append(entry->term);
  std::lock_guard lock(mutex_);
  segments_.back().AddFrame(header);
  for (const Entry* entry : entries) NoteMembership(*entry);
  return absl::OkStatus();
}

// With mutex_ held.
void SegmentedLog::NoteMembership(const Entry& entry) {
  if (entry.kind != EntryKind::kMembership) return;
  absl::StatusOr<Membership> membership = DecodeMembership(*entry.payload);
  CHECK(membership.ok()) << "entry " << entry.index;
  memberships_.Append({entry.index, entry.request, *std::move(membership)});
}

// Begins a segment that replaces everything after `previous`, with room for a first frame of
// `frame_bytes`.
absl::Status SegmentedLog::BeginSegment(LogPosition previous, uint64_t frame_bytes) {
  std::lock_guard structure(structure_mutex_);
  return BeginSegmentLocked(previous, frame_bytes);
}

// With structure_mutex_ held.
absl::Status SegmentedLog::BeginSegmentLocked(LogPosition previous, uint64_t frame_bytes) {
  // One that replaces all others says so, since with the first segment the mark of the log's begin
  // would go.
  const bool replaces_all = segments_.empty() || previous == terms_.base() || previous == base();
  const SegmentStart start = replaces_all ? SegmentStart::kBegins : SegmentStart::kContinues;
  absl::StatusOr<Segment> begun = Segment::Create(
      fs_, dir_, {.sequence = ++sequence_max_, .previous = previous, .start = start},
      std::max(options_.segment_bytes, kSegmentHeaderBytes + frame_bytes));
  if (!begun.ok()) return begun.status();

  std::vector<Segment> replaced;  // newest first: a crash on the way leaves no hole
  std::shared_ptr<File> sealed;
  uint64_t sealed_bytes = 0;
  {
    std::lock_guard lock(mutex_);
    while (!segments_.empty() &&
           (start == SegmentStart::kBegins || segments_.back().previous() >= previous.index)) {
      replaced.push_back(std::move(segments_.back()));
      segments_.pop_back();
    }
    if (!segments_.empty()) {
      segments_.back().ClipAfter(previous.index);
      sealed = segments_.back().file();
      sealed_bytes = segments_.back().end().offset;
    }
    segments_.push_back(*std::move(begun));
  }
  // Gives back the space that was reserved and not used. Nothing depends on it.
  if (sealed != nullptr) {
    if (absl::Status s = sealed->Truncate(sealed_bytes); !s.ok()) return s;
  }
  if (replaced.empty()) return absl::OkStatus();
  return RemoveSegments(fs_, dir_, replaced);
}

absl::Status SegmentedLog::ResetTo(LogPosition base, std::string membership) {
  if (absl::Status s = status(); !s.ok()) return s;
  return Keep(Reset(base, membership));
}

absl::Status SegmentedLog::Reset(LogPosition base, absl::string_view membership) {
  std::lock_guard structure(structure_mutex_);
  std::optional<MembershipHistory::Item> in_effect;
  if (!membership.empty()) {
    absl::StatusOr<Membership> decoded = DecodeMembership(membership);
    CHECK(decoded.ok()) << "of the state up to entry " << base.index;
    in_effect = {base.index, RequestId{}, *std::move(decoded)};
    if (absl::Status s = members_file_.Save(*in_effect); !s.ok()) return s;
  }
  {
    std::lock_guard lock(mutex_);
    if (!in_effect.has_value()) in_effect = memberships_.items().front();
    memberships_.ResetTo(*std::move(in_effect));
  }
  terms_ = TermRuns(base);
  return BeginSegmentLocked(base, 0);
}

absl::Status SegmentedLog::DropPrefix(LogIndex upto) {
  if (absl::Status s = status(); !s.ok()) return s;
  return Keep(DropSegments(upto));
}

// Drops the segments of which `upto` is the last entry or a later one; never the newest.
absl::Status SegmentedLog::DropSegments(LogIndex upto) {
  std::vector<Segment> dropped;
  {
    std::lock_guard structure(structure_mutex_);
    size_t count = 0;
    LogBegin begin;
    std::optional<MembershipHistory::Item> in_effect;  // there, if the members file has another one
    {
      std::lock_guard lock(mutex_);
      while (count + 1 < segments_.size() && segments_[count + 1].previous() <= upto) ++count;
      const SegmentHeader& first = segments_[count].header();
      begin = {.sequence = first.sequence, .previous = first.previous};
      const MembershipHistory::Item& item = memberships_.At(begin.previous.index);
      if (item.index != memberships_.items().front().index) in_effect = item;
    }
    if (count == 0) return absl::OkStatus();
    if (in_effect.has_value()) {
      if (absl::Status s = members_file_.Save(*in_effect); !s.ok()) return s;
    }
    if (absl::Status s = begin_file_.Save(begin); !s.ok()) return s;
    std::lock_guard lock(mutex_);
    memberships_.DropUpTo(begin.previous.index);
    const auto kept = segments_.begin() + static_cast<std::ptrdiff_t>(count);
    dropped.assign(std::move_iterator(segments_.begin()), std::move_iterator(kept));
    segments_.erase(segments_.begin(), kept);
  }
  return RemoveSegments(fs_, dir_, dropped);
}

LogPosition SegmentedLog::base() const {
  std::lock_guard lock(mutex_);
  return segments_.front().header().previous;
}

uint64_t SegmentedLog::SizeBytes() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const Segment& segment : segments_) bytes += segment.frames_bytes();
  return bytes;
}

absl::StatusOr<std::vector<Entry>> SegmentedLog::Read(LogIndex first, LogIndex last,
                                                      size_t bytes_max) const {
  CHECK_LE(first, last);
  std::vector<SegmentSlice> slices;
  {
    std::lock_guard lock(mutex_);
    if (first <= segments_.front().previous() || first > segments_.back().last()) {
      return absl::OutOfRangeError(absl::StrCat("entry ", first.value(), " is not in the log"));
    }
    for (const Segment& segment : segments_) {
      const LogIndex begin = std::max(first, segment.previous().Next());
      if (begin <= std::min(last, segment.last())) slices.emplace_back(segment, begin);
    }
  }
  EntryCollector collector(first, last, bytes_max);
  for (const SegmentSlice& slice : slices) {
    if (collector.done()) break;
    if (absl::Status s = slice.ReadTo(&collector); !s.ok()) return s;
  }
  return collector.Take();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogStore>> OpenSegmentedLog(FileSystem* fs, const std::string& dir,
                                                           const SegmentedLogOptions& options,
                                                           RecoveredLog* recovered) {
  auto log = std::make_unique<SegmentedLog>(fs, dir, options);
  if (absl::Status s = log->Open(); !s.ok()) return s;
  *recovered = log->Recovered();
  return log;
}

}  // namespace pontoon::raft
