#include "tests/sim/referee.h"

#include <algorithm>
#include <limits>
#include <variant>

#include "raft/base/check.h"
#include "tests/sim/fingerprint.h"

namespace pontoon::sim {
namespace {

// A key for positions; terms of a simulation are small.
uint64_t KeyOf(LogIndex index, Term term) {
  CHECK_LT(term.value(), uint64_t{1} << 24);
  CHECK_LT(index.value(), uint64_t{1} << 40);
  return index.value() << 24 | term.value();
}

}  // namespace

Referee::Referee(Ledger* ledger, Coverage* coverage) : ledger_(ledger), coverage_(coverage) {}

bool Referee::Holds(const Book& book, LogPosition position) {
  if (position.index == LogIndex()) return true;
  return position.index <= LogIndex(book.log.size()) &&
         book.log[position.index.value() - 1].term == position.term;
}

// ---- disks

void Referee::Keep(NodeId node, const Entry& entry) {
  Book& book = BookOf(node);
  CHECK_EQ(entry.index, LogIndex(book.log.size() + 1))
      << "the log of node " << node << " has a gap";
  const uint64_t before = book.log.empty() ? 0 : book.log.back().prefix_digest;
  const uint64_t prefix = Mix(before, entry);
  const auto [known, is_new] = prefix_of_entry_.try_emplace(KeyOf(entry.index, entry.term), prefix);
  CHECK_EQ(known->second, prefix) << "two logs have an entry " << entry.index << " of term "
                                  << entry.term
                                  << ", but are not the same up to it; this one is node " << node
                                  << "'s";
  if (is_new) ledger_->OnLogged(entry);
  NoteConfiguration(entry);
  book.log.push_back({entry.term, prefix});
}

void Referee::NoteConfiguration(const Entry& entry) {
  if (entry.kind != EntryKind::kMembership) return;
  const absl::StatusOr<Membership> membership = DecodeMembership(*entry.payload);
  CHECK(membership.ok()) << membership.status();
  configurations_[{entry.index, entry.term}] = *membership;
}

std::vector<Referee::KeptEntry> Referee::AppliedUpTo(LogPosition position) const {
  CHECK_LE(position.index, ledger_->last()) << "a state holds what nobody has applied";
  std::vector<KeptEntry> entries;
  for (LogIndex i(1); i <= position.index; ++i) {
    const Term term = ledger_->TermAt(i);
    entries.push_back({term, prefix_of_entry_.at(KeyOf(i, term))});
  }
  CHECK(entries.empty() || entries.back().term == position.term)
      << "a state at entry " << position.index << " of term " << position.term
      << ", which was applied as one of term " << entries.back().term;
  return entries;
}

void Referee::ForgetReplaced(Book* book, LogPosition position) {
  const std::vector<KeptEntry> state = AppliedUpTo(position);
  size_t same = 0;
  while (same < std::min(book->log.size(), state.size()) &&
         book->log[same].prefix_digest == state[same].prefix_digest) {
    ++same;
  }
  book->log.resize(same);
  book->base_max = std::max(book->base_max, position.index);
}

void Referee::OnRecovered(NodeId node, const raft::RecoveredLog& recovered,
                          const raft::LogStore& log) {
  Book& book = BookOf(node);
  const HardState& before = book.durable_state;
  const HardState& now = recovered.hard_state;
  CHECK(now.term > before.term ||
        (now.term == before.term && (now.vote == before.vote || before.vote == kNoNode)))
      << "node " << node << " has forgotten: term " << before.term << " vote " << before.vote
      << ", now term " << now.term << " vote " << now.vote;
  CHECK_GE(recovered.last, LogIndex(book.log.size()))
      << "node " << node << " has forgotten entries that were durable";
  CHECK_LE(recovered.base.index, book.base_max)
      << "the log of node " << node << " begins after entries that were never dropped";
  const std::vector<KeptEntry> kept = std::move(book.log);
  book = Book();
  book.durable_state = now;
  book.log = AppliedUpTo(recovered.base);
  book.base_max = recovered.base.index;
  for (LogIndex next = recovered.base.index.Next(); next <= recovered.last;
       next = LogIndex(book.log.size() + 1)) {
    const auto entries = log.Read(next, recovered.last, std::numeric_limits<size_t>::max());
    CHECK(entries.ok()) << "the log of node " << node << ": " << entries.status();
    for (const Entry& entry : *entries) Keep(node, entry);
  }
  if (!kept.empty()) {
    CHECK_EQ(book.log[kept.size() - 1].prefix_digest, kept.back().prefix_digest)
        << "node " << node << " has other entries than were durable, up to " << kept.size();
  }
}

void Referee::OnWrite(NodeId node, std::span<const PersistBatch> batches) {
  Book& book = BookOf(node);
  for (const PersistBatch& batch : batches) {
    if (batch.reset_to.has_value()) ForgetReplaced(&book, *batch.reset_to);
    if (!batch.truncate_from.has_value()) continue;
    coverage_->Reached(Path::kLogConflictTruncated);
    NoteTakenBack(node, *batch.truncate_from);
    // A snapshot may be installed while an earlier write still waits for the disk.
    CHECK_GT(*batch.truncate_from, book.applied_from_log)
        << "node " << node << " takes back what it applied";
    // What an earlier one of these batches appends is not in the book yet.
    const size_t left = batch.truncate_from->value() - 1;
    if (left < book.log.size()) book.log.resize(left);
  }
}

void Referee::OnWritten(NodeId node, std::span<const PersistBatch> batches) {
  Book& book = BookOf(node);
  for (const PersistBatch& batch : batches) {
    if (batch.hard_state.has_value()) book.durable_state = *batch.hard_state;
    if (batch.reset_to.has_value()) book.log = AppliedUpTo(*batch.reset_to);
    if (batch.truncate_from.has_value()) {
      const size_t left = batch.truncate_from->value() - 1;
      if (left < book.log.size()) book.log.resize(left);
    }
    for (const Entry& entry : batch.entries) {
      // Otherwise a later batch of the group drops it, and OnWrite has shortened the book for that.
      if (entry.index == LogIndex(book.log.size() + 1)) Keep(node, entry);
    }
  }
}

void Referee::OnDropPrefix(NodeId node, LogIndex upto) {
  CHECK_LE(upto, ledger_->last()) << "node " << node << " drops what nobody has applied";
  Book& book = BookOf(node);
  book.base_max = std::max(book.base_max, upto);
}

// ---- messages

void Referee::OnSent(const raft::Message& message) {
  const raft::MessageBody& body = message.body;
  if (std::holds_alternative<raft::AppendRequest>(body) ||
      std::holds_alternative<raft::Heartbeat>(body) ||
      std::holds_alternative<raft::CommitNotice>(body)) {
    OnLeaderSpeaks(message.from, message.term);
    // What a leader appended is in effect before any disk has it.
    if (const auto* append = std::get_if<raft::AppendRequest>(&body)) {
      for (const Entry& entry : append->entries) NoteConfiguration(entry);
    }
  } else if (const auto* response = std::get_if<raft::VoteResponse>(&body)) {
    CheckVoteSent(message, response->granted);
  } else if (const auto* request = std::get_if<raft::VoteRequest>(&body)) {
    CheckCandidateSent(message, *request);
  } else if (const auto* accepted = std::get_if<raft::AppendAccepted>(&body)) {
    CheckAcknowledged(message, accepted->match);
  } else if (std::holds_alternative<raft::HeartbeatAck>(body)) {
    CHECK_LE(message.term, BookOf(message.from).durable_state.term)
        << "node " << message.from << " acknowledges a term that its disk may forget";
  }
}

void Referee::OnLeaderSpeaks(NodeId node, Term term) {
  Book& book = BookOf(node);
  if (book.led_term == term) return;
  book.led_term = term;
  if (leader_of_term_.size() <= term.value()) leader_of_term_.resize(term.value() + 1, kNoNode);
  NodeId& leader = leader_of_term_[term.value()];
  CHECK(leader == kNoNode || leader == node)
      << "nodes " << leader << " and " << node << " both lead term " << term;
  if (leader == kNoNode) ++leaders_;
  leader = node;
  if (term > newest_term_) {
    newest_term_ = term;
    newest_leader_ = node;
  }
  CHECK_EQ(book.durable_state.term, term) << "node " << node << " leads a term that it may forget";
  CHECK_EQ(book.durable_state.vote, node) << "node " << node << " leads without its own vote";
  // What was committed in terms before this one. One that was elected, and hears of it late, need
  // not have what later terms committed meanwhile.
  LogIndex last = ledger_->last();
  while (last > LogIndex() && ledger_->CommittedBy(last) >= term) last = last.Prev();
  if (last == LogIndex()) return;
  CHECK(Holds(book, {last, ledger_->TermAt(last)}))
      << "node " << node << " leads term " << term << " without the entry " << last << " of term "
      << ledger_->TermAt(last) << ", which was applied";
}

void Referee::CheckVoteSent(const raft::Message& message, bool granted) {
  const HardState& durable = BookOf(message.from).durable_state;
  CHECK_GE(durable.term, message.term)
      << "node " << message.from << " answers in a term that its disk may forget";
  if (!granted || durable.term > message.term) return;
  CHECK_EQ(durable.vote, message.to) << "node " << message.from << " sends a vote in term "
                                     << message.term << " that is not on its disk";
}

void Referee::CheckCandidateSent(const raft::Message& message, const raft::VoteRequest& request) {
  const Book& book = BookOf(message.from);
  // A request that waited for the disk may leave when its sender has already followed the leader
  // that the term has got meanwhile: then it can win nothing any more.
  const NodeId leader = LeaderOf(message.term);
  if (leader != kNoNode && leader != message.from) return;
  CHECK_EQ(book.durable_state.term, message.term) << "a candidate's term is not on its disk";
  CHECK_EQ(book.durable_state.vote, message.from) << "a candidate's vote is not on its disk";
  CHECK(Holds(book, request.last))
      << "node " << message.from << " asks for votes for a log up to " << request.last.index
      << ", and its disk has one up to " << book.log.size();
}

NodeId Referee::LeaderOf(Term term) const {
  return term.value() < leader_of_term_.size() ? leader_of_term_[term.value()] : kNoNode;
}

void Referee::CheckAcknowledged(const raft::Message& message, LogIndex match) {
  CHECK_LE(match, LogIndex(BookOf(message.from).log.size()))
      << "node " << message.from << " acknowledges entries that are not on its disk";
}

// ---- state

void Referee::OnApply(NodeId node, std::span<const ApplyItem> items) {
  Book& book = BookOf(node);
  for (const ApplyItem& item : items) {
    const LogPosition position{item.entry.index, item.entry.term};
    CHECK(Holds(book, position)) << "node " << node << " applies entry " << position.index
                                 << ", which its own disk does not keep";
    if (ledger_->OnApplied(node, item.entry, newest_term_) == Ledger::News::kFirst) {
      CheckQuorumKeeps(position);
      if (position.term < newest_term_) coverage_->Reached(Path::kOldTermEntryCommitted);
    } else if (position.index <= book.applied) {
      CHECK(false) << "node " << node << " applies entry " << position.index << " twice";
    }
    book.applied = book.applied_from_log = position.index;
  }
}

void Referee::OnInstall(NodeId node, LogPosition position) {
  Book& book = BookOf(node);
  CHECK_GT(position.index, book.applied) << "node " << node << " goes back to a snapshot";
  CHECK(position.index <= ledger_->last() && position.term == ledger_->TermAt(position.index))
      << "node " << node << " takes a snapshot of entry " << position.index << " of term "
      << position.term << ", which nobody applied";
  book.applied = position.index;
  coverage_->Reached(Path::kSnapshotInstalled);
}

bool Referee::QuorumKeeps(const Membership& membership, LogPosition position) const {
  const auto majority = [&](const std::vector<NodeId>& voters) {
    size_t count = 0;
    for (const NodeId voter : voters) count += Holds(BookOf(voter), position);
    return 2 * count > voters.size();
  };
  return majority(membership.voters) &&
         (membership.outgoing.empty() || majority(membership.outgoing));
}

// Its leader committed it by the configuration in effect there: the one along the log up to the
// entry, or one that came after it. A joint one may have been left by an entry that nobody was sent
// yet.
void Referee::CheckQuorumKeeps(LogPosition position) {
  const auto quorum_keeps = [&](const Membership& membership) {
    return QuorumKeeps(membership, position) || QuorumKeeps(membership.Target(), position);
  };
  if (quorum_keeps(ledger_->memberships().At(position.index).membership)) return;
  for (const auto& [where, membership] : configurations_) {
    if (where.first > position.index && quorum_keeps(membership)) return;
  }
  CHECK(false) << "entry " << position.index << " of term " << position.term
               << " is applied, but no quorum of disks keeps it";
}

// Entries from `from` on leave the book of `node`.
void Referee::NoteTakenBack(NodeId node, LogIndex from) {
  for (const auto& [where, membership] : configurations_) {
    if (where.first < from || !Holds(BookOf(node), {where.first, where.second})) continue;
    coverage_->Reached(Path::kChangeTakenBack);
  }
}

void Referee::OnStatus(const raft::ReplicaStatus& status) {
  Book& book = BookOf(status.self);
  CHECK_GE(status.term, book.term) << "the term of node " << status.self << " falls";
  CHECK_GE(status.commit, book.commit) << "the commit index of node " << status.self << " falls";
  CHECK_GE(status.term, book.durable_state.term) << "node " << status.self << " is behind its disk";
  const bool leads = status.role == raft::Role::kLeader;
  if (leads) OnLeaderSpeaks(status.self, status.term);
  if (book.role == raft::Role::kLeader && !leads && status.last_index > status.commit) {
    coverage_->Reached(Path::kLeaderDeposedWithUncommitted);
  }
  const Membership& membership = status.membership;
  if (status.commit <= ledger_->last() && !membership.voters.empty()) {
    CHECK(membership == ledger_->memberships().At(status.commit).membership)
        << "node " << status.self << " has another configuration than was committed up to "
        << status.commit;
  }
  book.term = status.term;
  book.commit = status.commit;
  book.role = status.role;
}

}  // namespace pontoon::sim
