#include "raft/storage/testing/log_model.h"

#include <gtest/gtest.h>

#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "raft/base/check.h"

namespace pontoon::raft {

std::string PayloadFor(LogIndex index, Term term) {
  // Lengths that leave every amount of padding.
  return absl::StrCat("entry ", index.value(), " of term ", term.value(), " ",
                      std::string(index.value() % 11, '#'));
}

Membership MembershipOf(uint64_t version) {
  return {.voters = {NodeId(version)}, .peer_urls = {{NodeId(version), {"http://a:1"}}}};
}

std::string MembershipBytes(uint64_t version) { return EncodeMembership(MembershipOf(version)); }

namespace {

uint64_t VersionOf(const Membership& membership) {
  const uint64_t version = membership.voters.at(0).value();
  CHECK(membership == MembershipOf(version));
  return version;
}

uint64_t VersionOf(const std::string& bytes) {
  const auto membership = DecodeMembership(bytes);
  CHECK(membership.ok()) << membership.status();
  return VersionOf(*membership);
}

}  // namespace

std::vector<Entry> MakeEntries(uint64_t first, const std::vector<uint64_t>& terms) {
  std::vector<Entry> entries;
  for (uint64_t term : terms) {
    Entry entry{.index = LogIndex(first++),
                .term = Term(term),
                .kind = EntryKind::kCommand,
                .request = {.origin = NodeId(1), .sequence = first},
                .payload = nullptr};
    entry.payload = std::make_shared<const std::string>(PayloadFor(entry.index, entry.term));
    entries.push_back(std::move(entry));
  }
  return entries;
}

void LogState::Apply(const PersistBatch& batch) {
  if (batch.hard_state.has_value()) hard_state = *batch.hard_state;
  if (batch.reset_to.has_value()) {
    ResetTo(*batch.reset_to, batch.reset_membership ? *batch.reset_membership : "");
  }
  if (batch.truncate_from.has_value()) {
    terms.resize(*batch.truncate_from - base.index - 1);
    memberships.erase(memberships.lower_bound(*batch.truncate_from), memberships.end());
  }
  for (const Entry& entry : batch.entries) {
    terms.push_back(entry.term.value());
    if (entry.kind == EntryKind::kMembership) memberships[entry.index] = VersionOf(*entry.payload);
  }
}

void LogState::ResetTo(LogPosition new_base, const std::string& membership) {
  if (membership.empty()) {
    memberships.erase(memberships.upper_bound(base.index), memberships.end());
  } else {
    memberships = {{new_base.index, VersionOf(membership)}};
  }
  base = new_base;
  terms.clear();
}

void LogState::ReplaceOldestMembership(uint64_t version) {
  memberships.erase(memberships.begin(), memberships.upper_bound(base.index));
  memberships[base.index] = version;
}

void LogState::DropPrefix(LogIndex upto) {
  if (upto == base.index) return;
  const uint64_t count = upto - base.index;
  base = {upto, Term(terms.at(count - 1))};
  terms.erase(terms.begin(), terms.begin() + static_cast<std::ptrdiff_t>(count));
  while (memberships.size() > 1 && std::next(memberships.begin())->first <= upto) {
    memberships.erase(memberships.begin());
  }
}

std::string LogState::ToString() const {
  std::string text =
      absl::StrCat("term ", hard_state.term.value(), " vote ", hard_state.vote.value(), "; after ",
                   base.index.value(), "/", base.term.value(), ": ", absl::StrJoin(terms, " "));
  if (!memberships.empty()) absl::StrAppend(&text, "; members");
  for (const auto& [index, version] : memberships) {
    absl::StrAppend(&text, " ", index.value(), ":", version);
  }
  return text;
}

PersistBatch AppendBatch(uint64_t first, const std::vector<uint64_t>& terms) {
  PersistBatch batch;
  batch.entries = MakeEntries(first, terms);
  return batch;
}

PersistBatch MembershipBatch(uint64_t index, uint64_t term, uint64_t version) {
  PersistBatch batch = AppendBatch(index, {term});
  batch.entries[0].kind = EntryKind::kMembership;
  batch.entries[0].payload = std::make_shared<const std::string>(MembershipBytes(version));
  return batch;
}

PersistBatch ReplaceBatch(uint64_t truncate_from, const std::vector<uint64_t>& terms) {
  PersistBatch batch = AppendBatch(truncate_from, terms);
  batch.truncate_from = LogIndex(truncate_from);
  return batch;
}

PersistBatch VoteBatch(uint64_t term, uint64_t vote) {
  PersistBatch batch;
  batch.hard_state = HardState{Term(term), NodeId(vote)};
  return batch;
}

PersistBatch ResetBatch(LogPosition base, const std::vector<uint64_t>& terms,
                        const std::string& membership) {
  PersistBatch batch = AppendBatch(base.index.value() + 1, terms);
  batch.reset_to = base;
  if (!membership.empty()) {
    batch.reset_membership = std::make_shared<const std::string>(membership);
  }
  return batch;
}

absl::Status LogOnFaultyDisk::Open() {
  log_ = nullptr;
  auto log = OpenSegmentedLog(&disk_, kDir, options_, &recovered_);
  if (!log.ok()) return log.status();
  log_ = *std::move(log);
  term_ = recovered_.hard_state.term;
  EXPECT_EQ(log_->base(), recovered_.base);
  const LogState state = State();
  if (!state.terms.empty()) {
    EXPECT_EQ(ReadTerms(recovered_.base.index.value() + 1, recovered_.last.value()), state.terms);
  }
  return absl::OkStatus();
}

LogState LogOnFaultyDisk::State() const {
  LogState state{.hard_state = recovered_.hard_state, .base = recovered_.base, .terms = {}};
  for (size_t i = 0; i < recovered_.terms.size(); ++i) {
    const LogIndex end =
        i + 1 < recovered_.terms.size() ? recovered_.terms[i + 1].first : recovered_.last.Next();
    state.terms.insert(state.terms.end(), end - recovered_.terms[i].first,
                       recovered_.terms[i].term.value());
  }
  EXPECT_EQ(state.last(), recovered_.last);
  for (const MembershipHistory::Item& item : recovered_.memberships) {
    state.memberships[item.index] = VersionOf(item.membership);
  }
  EXPECT_EQ(state.memberships.size(), recovered_.memberships.size());
  return state;
}

absl::Status LogOnFaultyDisk::Write(std::vector<PersistBatch> batches) {
  for (PersistBatch& batch : batches) {
    if (batch.hard_state.has_value()) term_ = batch.hard_state->term;
    if (batch.entries.empty() || batch.entries.back().term <= term_) continue;
    term_ = batch.entries.back().term;
    batch.hard_state = HardState{term_, kNoNode};
  }
  return log_->Write(batches);
}

std::vector<uint64_t> LogOnFaultyDisk::ReadTerms(uint64_t first, uint64_t last) const {
  std::vector<uint64_t> terms;
  const auto entries = log_->Read(LogIndex(first), LogIndex(last), SIZE_MAX);
  EXPECT_TRUE(entries.ok()) << entries.status();
  if (!entries.ok()) return terms;
  for (const Entry& entry : *entries) {
    EXPECT_EQ(entry.index, LogIndex(first + terms.size()));
    if (entry.kind != EntryKind::kMembership) {
      EXPECT_EQ(*entry.payload, PayloadFor(entry.index, entry.term));
    }
    terms.push_back(entry.term.value());
  }
  return terms;
}

std::vector<std::string> LogOnFaultyDisk::SegmentPaths() const {
  const auto names = disk_.ListDir(kDir);
  CHECK(names.ok()) << names.status();
  std::vector<std::string> paths;
  for (const std::string& name : *names) {
    if (absl::EndsWith(name, ".log")) paths.push_back(JoinPath(kDir, name));
  }
  return paths;
}

}  // namespace pontoon::raft
