#include "raft/storage/log_recovery.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "raft/base/check.h"
#include "raft/env/log.h"
#include "raft/storage/damage.h"
#include "raft/storage/log_format.h"

namespace pontoon::raft {
namespace {

absl::Status SegmentDamage(const Segment& segment, absl::string_view details) {
  return DamageError("log segment", segment.path(), details);
}

uint64_t BytesUpToTrailingZeros(absl::string_view bytes) {
  const size_t last = bytes.find_last_not_of('\0');
  return last == absl::string_view::npos ? 0 : last + 1;
}

// Whether `header`, found at `offset`, can be of a frame behind the segment's end. What was lost in
// between has its entries, and each takes space. Together with the checksum, which binds a header
// to its place, this makes a match neither an accident nor a stored copy of a header.
bool MayFollowEnd(const Segment& segment, const FrameHeader& header, uint64_t offset) {
  const uint64_t lost_max = (offset - segment.end().offset) / kEntryHeaderBytes;
  return header.first > segment.last() && header.first - segment.last().Next() <= lost_max &&
         header.entry_count <= header.payload_bytes / kEntryHeaderBytes;
}

// Looks for a trace of a later write behind the bad frame at the segment's end, which shows that
// this one was synced. Returns its offset.
//
// Such is a frame's header, with or without its payload. Where the bad frame's own header is whole,
// it is any byte behind the end that this gives: one write does not go beyond its frame.
std::optional<uint64_t> FindLaterWrite(const Segment& segment, absl::string_view bytes) {
  FramePlace place = segment.end();
  const std::optional<FrameHeader> own = DecodeFrameHeader(place, bytes.substr(place.offset));
  for (place.offset += kFrameAlignment; place.offset + kFrameHeaderBytes <= bytes.size();
       place.offset += kFrameAlignment) {
    const auto header = DecodeFrameHeader(place, bytes.substr(place.offset));
    if (header.has_value() && MayFollowEnd(segment, *header, place.offset)) return place.offset;
  }
  const uint64_t data_end = BytesUpToTrailingZeros(bytes);
  if (own.has_value() && data_end > segment.end().offset + own->FrameBytes()) return data_end - 1;
  return std::nullopt;
}

class Recovery {
 public:
  Recovery(FileSystem* fs, const std::string& dir, uint64_t segment_bytes,
           const std::optional<LogBegin>& begin, Term vote_term)
      : fs_(fs), dir_(dir), segment_bytes_(segment_bytes), begin_(begin), vote_term_(vote_term) {}

  absl::StatusOr<RecoveredSegments> Run() {
    if (absl::Status s = OpenAll(); !s.ok()) return s;
    if (absl::Status s = SetObsoleteApart(); !s.ok()) return s;
    if (!found_.segments.empty()) {
      const Segment& oldest = found_.segments.front();
      found_.terms = TermRuns(oldest.header().previous);
      if (absl::Status s = CheckTerm(found_.terms.base()); !s.ok()) {
        return SegmentDamage(oldest, s.message());
      }
    }
    for (size_t i = 0; i < found_.segments.size(); ++i) {
      const bool is_newest = i + 1 == found_.segments.size();
      const absl::Status scanned =
          is_newest ? ScanNewest(&found_.segments[i])
                    : ScanSealed(&found_.segments[i], found_.segments[i + 1].previous());
      if (!scanned.ok()) return scanned;
    }
    // Syncs the names that a process gave just before it died: of the vote file, and of that which
    // makes segments obsolete. Only then may these go.
    if (absl::Status s = fs_->SyncDir(dir_); !s.ok()) return s;
    if (!obsolete_.empty()) {
      if (absl::Status s = RemoveSegments(fs_, dir_, obsolete_); !s.ok()) return s;
    }
    return std::move(found_);
  }

 private:
  // Opens every segment, in the order of the sequence, and removes files that were not finished.
  absl::Status OpenAll() {
    const absl::StatusOr<std::vector<std::string>> names = fs_->ListDir(dir_);
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      if (IsSegmentFileName(std::string(absl::StripSuffix(name, ".tmp")))) {
        const absl::Status s =
            IsSegmentFileName(name) ? Open(name) : fs_->Remove(JoinPath(dir_, name));
        if (!s.ok()) return s;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Open(const std::string& name) {
    absl::StatusOr<Segment> segment = Segment::Open(fs_, dir_, name);
    if (!segment.ok()) return segment.status();
    const uint64_t sequence = segment->header().sequence;
    if (sequence <= found_.sequence_max) {
      return SegmentDamage(*segment, absl::StrCat("a second one of sequence ", sequence));
    }
    found_.sequence_max = sequence;
    found_.segments.push_back(*std::move(segment));
    return absl::OkStatus();
  }

  // A segment replaces what the ones before it hold from its first index on; those of which nothing
  // is left go, and so do those before the begin. Only their headers are read: what else they hold
  // is of no matter.
  absl::Status SetObsoleteApart() {
    std::vector<Segment> kept;
    for (Segment& segment : found_.segments) {
      if (begin_.has_value() && segment.header().sequence < begin_->sequence) {
        obsolete_.push_back(std::move(segment));
        continue;
      }
      const bool begins = segment.header().start == SegmentStart::kBegins;
      while (!kept.empty() && (begins || kept.back().previous() >= segment.previous())) {
        obsolete_.push_back(std::move(kept.back()));
        kept.pop_back();
      }
      kept.push_back(std::move(segment));
    }
    // Asked only now: of segments that are obsolete, a crash during their removal may have left
    // any.
    if (kept.empty() && begin_.has_value()) {
      return DamageError("log", dir_, "the segment that it begins with is missing");
    }
    if (!kept.empty() && !IsBegin(kept.front().header())) {
      return SegmentDamage(kept.front(), "the segment that it continues is missing");
    }
    found_.segments = std::move(kept);
    std::sort(obsolete_.begin(), obsolete_.end(), [](const Segment& a, const Segment& b) {
      return a.header().sequence > b.header().sequence;
    });
    return absl::OkStatus();
  }

  bool IsBegin(const SegmentHeader& header) const {
    return header.start == SegmentStart::kBegins ||
           begin_ == LogBegin{.sequence = header.sequence, .previous = header.previous};
  }

  // Every frame of a segment that another one follows was synced: all up to the entry `last`, the
  // last one that was not replaced, must be there.
  absl::Status ScanSealed(Segment* segment, LogIndex last) {
    const absl::StatusOr<std::string> bytes = ReadAll(*segment->file());
    if (!bytes.ok()) return bytes.status();
    std::string end_reason;
    if (absl::Status s = ScanFrames(segment, *bytes, last, &end_reason); !s.ok()) return s;
    if (segment->last() >= last) {
      segment->ClipAfter(last);
      return absl::OkStatus();
    }
    return SegmentDamage(
        *segment, absl::StrCat("damaged frame at byte ", segment->end().offset, " (", end_reason,
                               "): the next segment continues entry ", last.value(),
                               ", but this one ends with entry ", segment->last().value()));
  }

  // The newest segment may end with a frame that was torn.
  absl::Status ScanNewest(Segment* segment) {
    const absl::StatusOr<std::string> bytes = ReadAll(*segment->file());
    if (!bytes.ok()) return bytes.status();
    std::string end_reason;
    const LogIndex no_limit(std::numeric_limits<uint64_t>::max());
    if (absl::Status s = ScanFrames(segment, *bytes, no_limit, &end_reason); !s.ok()) return s;
    const uint64_t end_offset = segment->end().offset;
    const absl::string_view rest = absl::string_view(*bytes).substr(end_offset);
    if (!IsZero(rest)) {
      if (const auto later = FindLaterWrite(*segment, *bytes); later.has_value()) {
        return SegmentDamage(*segment,
                             absl::StrCat("damaged frame at byte ", end_offset, " (", end_reason,
                                          ") is followed by a later write, at byte ", *later));
      }
      LogWarn("dropped a torn write at the end of the log",
              {{"file", segment->path()},
               {"offset", end_offset},
               {"bytes", BytesUpToTrailingZeros(rest)},
               {"reason", end_reason}});
      if (absl::Status s = segment->file()->Truncate(end_offset); !s.ok()) return s;
    }
    return MakeDurable(segment, *bytes);
  }

  // Notes the frames from the begin of the segment up to the first that is not valid, or to the one
  // with the entry `last`. `end_reason` becomes what is wrong with the frame at the segment's end()
  // then, in a few words. DATA_LOSS if a frame is valid and yet cannot belong there.
  absl::Status ScanFrames(Segment* segment, absl::string_view bytes, LogIndex last,
                          std::string* end_reason) {
    if (found_.terms.last() > segment->previous()) {
      found_.terms.TruncateFrom(segment->previous().Next());
      std::erase_if(found_.memberships,
                    [&](const auto& item) { return item.index > segment->previous(); });
    }
    CHECK_EQ(found_.terms.last(), segment->previous()) << segment->path();
    if (found_.terms.TermAt(segment->previous()) != segment->header().previous.term) {
      return SegmentDamage(*segment, "continues an entry of another term");
    }
    while (segment->last() < last) {
      const FramePlace place = segment->end();
      const absl::StatusOr<Frame> frame = DecodeFrame(place, bytes.substr(place.offset));
      if (!frame.ok()) {
        *end_reason = std::string(frame.status().message());
        return absl::OkStatus();
      }
      if (absl::Status s = AddFrame(segment, *frame); !s.ok()) {
        return SegmentDamage(
            *segment, absl::StrCat("damaged frame at byte ", place.offset, " (", s.message(), ")"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddFrame(Segment* segment, const Frame& frame) {
    if (frame.header.first != segment->last().Next()) {
      return absl::DataLossError(absl::StrCat("it holds entry ", frame.header.first.value(),
                                              " after entry ", segment->last().value()));
    }
    absl::Status wrong;
    const absl::Status visited = ForEachEntry(frame, [&](const EntryView& entry) {
      if (wrong.ok()) wrong = AddEntry(entry);
    });
    if (!visited.ok()) return visited;
    if (!wrong.ok()) return wrong;
    last_frame_offset_ = segment->end().offset;
    segment->AddFrame(frame.header);
    return absl::OkStatus();
  }

  absl::Status AddEntry(const EntryView& entry) {
    if (absl::Status s = CheckTerm({entry.index, entry.term}); !s.ok()) return s;
    found_.terms.Append(entry.term);
    if (entry.kind != EntryKind::kMembership) return absl::OkStatus();
    absl::StatusOr<Membership> membership = DecodeMembership(entry.payload);
    if (!membership.ok()) {
      return absl::DataLossError(
          absl::StrCat("entry ", entry.index.value(), ": ", membership.status().message()));
    }
    found_.memberships.push_back({entry.index, entry.request, *std::move(membership)});
    return absl::OkStatus();
  }

  // Votes are saved before the entries of their term. So a vote file that is behind the log is not
  // the one that was left beside it, and the votes of this node since then are unknown.
  absl::Status CheckTerm(LogPosition entry) const {
    if (entry.term > vote_term_) {
      return absl::DataLossError(absl::StrCat("entry ", entry.index.value(), " is of term ",
                                              entry.term.value(), ", and the vote file of term ",
                                              vote_term_.value()));
    }
    if (!found_.terms.MayAppend(entry.term)) {
      return absl::DataLossError(
          absl::StrCat("the term of entry ", entry.index.value(), " is lower than the one before"));
    }
    return absl::OkStatus();
  }

  // What was read may have come from the system's cache: of a write whose sync the process did not
  // live to see, or whose sync failed and left the pages marked clean, so that syncing alone would
  // do nothing. Only the last frame can be such a one. It is written once more: over the same
  // bytes, so that nothing is lost if that is torn.
  absl::Status MakeDurable(Segment* segment, absl::string_view bytes) {
    File* const file = segment->file().get();
    const uint64_t end = segment->end().offset;
    if (absl::Status s = file->Preallocate(std::max(segment_bytes_, end)); !s.ok()) return s;
    if (end > kSegmentHeaderBytes) {
      const absl::string_view frame = bytes.substr(last_frame_offset_, end - last_frame_offset_);
      if (absl::Status s = file->WriteAt(last_frame_offset_, frame); !s.ok()) return s;
    }
    return file->Sync();
  }

  FileSystem* const fs_;
  const std::string& dir_;
  const uint64_t segment_bytes_;
  const std::optional<LogBegin>& begin_;
  const Term vote_term_;
  RecoveredSegments found_;
  std::vector<Segment> obsolete_;  // replaced or dropped; newest first
  uint64_t last_frame_offset_ = 0;
};

}  // namespace

absl::StatusOr<RecoveredSegments> RecoverSegments(FileSystem* fs, const std::string& dir,
                                                  uint64_t segment_bytes,
                                                  const std::optional<LogBegin>& begin,
                                                  Term vote_term) {
  return Recovery(fs, dir, segment_bytes, begin, vote_term).Run();
}

absl::Status RemoveSegments(FileSystem* fs, const std::string& dir,
                            const std::vector<Segment>& segments) {
  for (const Segment& segment : segments) {
    if (absl::Status s = fs->Remove(segment.path()); !s.ok()) return s;
  }
  return fs->SyncDir(dir);
}

}  // namespace pontoon::raft
