#include "raft/core/entry_window.h"

#include <utility>

#include "raft/base/check.h"

namespace pontoon::raft {

const Entry& EntryWindow::At(LogIndex index) const {
  CHECK(index >= first_ && index < end())
      << index << " is not in [" << first_ << ", " << end() << ")";
  return entries_[index - first_];
}

void EntryWindow::Append(Entry entry) {
  CHECK_EQ(entry.index, end()) << "entries must be contiguous";
  bytes_ += entry.CountedBytes();
  entries_.push_back(std::move(entry));
}

void EntryWindow::TruncateFrom(LogIndex from) {
  while (!entries_.empty() && end() > from) {
    bytes_ -= entries_.back().CountedBytes();
    entries_.pop_back();
  }
  if (from < first_) first_ = from;
}

std::vector<Entry> EntryWindow::Slice(LogIndex first, LogIndex last, size_t bytes_max) const {
  std::vector<Entry> slice;
  size_t bytes = 0;
  for (LogIndex index = first; index <= last; ++index) {
    const Entry& entry = At(index);
    bytes += entry.CountedBytes();
    if (!slice.empty() && bytes > bytes_max) break;
    slice.push_back(entry);
  }
  return slice;
}

bool EntryWindow::HoldsFrom(LogIndex first, size_t bytes) const {
  size_t held = 0;
  for (LogIndex index = first; index < end() && held < bytes; ++index) {
    held += At(index).CountedBytes();
  }
  return held >= bytes;
}

void EntryWindow::EvictBefore(LogIndex keep_from, size_t bytes_max) {
  while (bytes_ > bytes_max && first_ < keep_from && !entries_.empty()) {
    bytes_ -= entries_.front().CountedBytes();
    entries_.pop_front();
    ++first_;
  }
}

}  // namespace pontoon::raft
