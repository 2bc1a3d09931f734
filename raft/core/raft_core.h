// RaftCore: the Raft protocol as a value that is stepped.
//
// Source: D. Ongaro, "Consensus: Bridging Theory and Practice" (the thesis; sections are cited
// where used).
//
// The core does no I/O, starts no thread, takes no lock, reads no clock and draws no randomness but
// from its seed: what it does is a function of its options, its restored state and the calls made
// to it. Its owner calls inputs, each with the present time, and takes what it wants done as one
// Ready:
//
//   core.OnMessage(now, std::move(message));
//   while (core.HasReady()) Execute(core.TakeReady());
//   WakeMeAt(core.NextDeadline());
//
// The core withholds every promise until the disk has kept it: a vote, an acknowledgement of
// entries or of a term, and the leader's own match leave only after the batch that they depend on
// was reported by OnPersisted. So the messages of a Ready may be sent at once, while its batch is
// still being written.
//
// Thread safety: none; one owner.

#ifndef PONTOON_RAFT_CORE_RAFT_CORE_H_
#define PONTOON_RAFT_CORE_RAFT_CORE_H_

#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "raft/base/instant.h"
#include "raft/base/membership.h"
#include "raft/base/membership_change.h"
#include "raft/base/membership_history.h"
#include "raft/base/prng.h"
#include "raft/base/types.h"
#include "raft/core/duplicate_filter.h"
#include "raft/core/entry_window.h"
#include "raft/core/lease.h"
#include "raft/core/message.h"
#include "raft/core/options.h"
#include "raft/core/outbox.h"
#include "raft/core/persist_tracker.h"
#include "raft/core/progress.h"
#include "raft/core/read_queue.h"
#include "raft/core/ready.h"
#include "raft/core/term_trail.h"
#include "raft/core/votes.h"

namespace pontoon::raft {

// What a node knows when it starts.
struct RestoredState {
  HardState hard_state;
  LogPosition base;            // of the entry before the first one in the log
  LogIndex last;               // of the log
  std::vector<TermRun> terms;  // of the log's entries
  // By the state machine; at most `last`. If that is before `base` the node needs a snapshot.
  LogIndex applied;
  // Along the log, from its beginning on.
  MembershipHistory memberships;
};

// Why a proposal or a read was not taken. Nothing of it will happen later.
enum class Refusal {
  kNoLeader,      // none is known
  kTransferring,  // this leader is handing over
  kOverloaded,    // too many bytes wait to be committed
};

// Taken in the term; or refused.
using TakenInTerm = std::variant<Term, Refusal>;
using ChangeTakenInTerm = std::variant<Term, ChangeRefusal>;

class RaftCore {
 public:
  // `options` must be valid (CoreOptions::Validate). A node that has no vote stays a
  // silent follower.
  RaftCore(const CoreOptions& options, const RestoredState& restored, Instant now);

  // ---- inputs

  // To be called at NextDeadline() or later; earlier does nothing.
  void OnDeadline(Instant now);
  // A message from a peer. Any content is borne: what makes no sense is ignored.
  void OnMessage(Instant now, Message message);
  // The batch `seq` and all before it are durable.
  void OnPersisted(Instant now, PersistSeq seq);
  // The entries asked for in a LogReadRequest of this term; empty if they could not be read, or are
  // gone.
  void OnEntriesRead(Instant now, NodeId peer, Term term, std::vector<Entry> entries);
  // They are in the log, and its disk does not give them back: the peer is to get a snapshot.
  void OnEntriesUnreadable(Instant now, NodeId peer, Term term);
  // The log begins after `base` now, which was applied here.
  void OnLogCompacted(LogPosition base);
  // All of a snapshot that the leader of `term` sent is here, and with it the configuration that
  // the log had last by then, if it had any. If the snapshot is of use, Ready::install says so;
  // otherwise it is to be thrown away.
  void OnSnapshotReceived(Instant now, NodeId leader, Term term, LogPosition position,
                          std::optional<MembershipHistory::Item> membership);
  // What became of a SnapshotRequest of this term: `peer` has all of the snapshot of `position`; or
  // none if that did not succeed, and is to be asked for again.
  void OnSnapshotSent(Instant now, NodeId peer, Term term, std::optional<LogPosition> position);
  // The connection to `peer` broke: messages sent to it may be lost.
  void OnPeerUnreachable(Instant now, NodeId peer);
  // The process of `peer` seems to be gone: its connection was closed, and another one refused. If
  // it was the leader, this node asks for votes soon, without waiting for the election timeout; a
  // quorum must agree in any case, and promises to the leader are kept.
  void OnPeerDown(Instant now, NodeId peer);

  // Appends the proposals if this node leads, else sends them to the leader that it knows. They
  // will be applied in the returned term or never: once an entry of a later term has been applied,
  // what is still missing will not come. A forwarding may be lost on its way, so that neither
  // happens before a change of term.
  TakenInTerm Propose(Instant now, std::vector<Proposal> proposals);
  // Sends proposals that were taken in `term`, and forwarded, once more to the leader of that term:
  // the first message may have been lost. The leader takes each of them once. Does nothing in
  // another term, or on the leader.
  void ForwardAgain(Instant now, Term term, std::vector<Proposal> proposals);
  // Asks for an index at which a read that begins now is linearizable (thesis 6.4). The answer
  // comes in Ready::reads_granted or reads_refused; on a follower it may also be lost. Reads begun
  // between two TakeReady calls share one confirmation. With ReadMode::kLease `now` must have been
  // read from the clock after the read began.
  TakenInTerm BeginRead(Instant now, ReadId id, ReadMode mode);
  // Hands leadership to `target`, or to the most up-to-date voter for kNoNode. No new proposals are
  // taken meanwhile; after an election timeout without success this node goes on leading. False if
  // this node does not lead or there is nobody to hand over to.
  bool TransferLeadership(Instant now, NodeId target);

  // Makes `changes` all together, by a joint configuration where the voters change (thesis 4.3), if
  // this node leads, else asks the leader that it knows. One at a time in the cluster. `request`
  // comes back in Ready::changes_done or changes_refused; or in neither, if the leader changed or a
  // message was lost. As with Propose, what is not there once an entry of a later term has been
  // applied will not come.
  ChangeTakenInTerm ChangeMembership(Instant now, RequestId request,
                                     std::vector<MembershipChange> changes);

  // ---- output

  bool HasReady() const;
  Ready TakeReady();
  // When OnDeadline wants to be called if nothing else happens before.
  Instant NextDeadline() const;

  // ---- state, for status and tests

  NodeId self() const { return options_.self; }
  Role role() const;
  Term term() const { return hard_state_.term; }
  NodeId leader() const;
  LogIndex last_index() const;
  LogPosition last_position() const { return trail_.last(); }
  LogPosition log_base() const { return trail_.base(); }
  LogIndex commit() const { return commit_; }
  Term commit_term() const { return trail_.TermAt(commit_).value(); }
  bool needs_snapshot() const { return needs_snapshot_; }
  // In effect: by the last membership entry of the log.
  const Membership& membership() const { return memberships_.latest().membership; }
  // By the last one that is committed.
  const Membership& committed_membership() const { return memberships_.At(commit_).membership; }
  // Along the log, from its beginning on.
  const MembershipHistory& memberships() const { return memberships_; }
  // Everybody whom this node may have to reach (Ready::peers).
  PeerUrls ReachablePeers() const;
  struct PeerState {
    NodeId node;
    LogIndex match;
    Instant last_contact;      // InfinitePast: not heard of in this term
    bool in_snapshot = false;  // needs a snapshot
  };
  std::vector<PeerState> peer_states() const;  // on the leader only, without itself
  // Whether this node leads, and may answer reads by itself.
  bool HoldsLease(Instant now) const;
  // The questions of lease reads that came to this node while it led.
  struct LeaseReads {
    uint64_t held = 0;    // answered at once
    uint64_t missed = 0;  // the lease did not hold: they took a round
  };
  const LeaseReads& lease_reads() const { return lease_reads_; }

 private:
  // ---- roles. What a role knows dies with it.

  struct FollowerState {
    NodeId leader;  // kNoNode while there is none
  };
  struct PreCandidateState {
    Votes votes;
  };
  struct CandidateState {
    Votes votes;
  };
  struct Transfer {
    NodeId target;
    Instant give_up;
    bool timeout_now_sent = false;
  };
  // The last one to a preferred node, which came to nothing; before the first, the election.
  struct HandOver {
    NodeId target;
    Instant at;
    absl::Duration delay;  // from then on, before the same target is tried again
  };
  // Of a node whose leaving is committed, and which may not know it yet.
  struct Farewell {
    LogIndex index;  // of the entry that tells it
    Instant until;   // at the latest
    std::vector<std::string> peer_urls;
  };
  struct LeaderState {
    std::map<NodeId, Progress> peers;      // everybody else
    std::map<NodeId, Farewell> farewells;  // to some of them
    LogIndex term_start;                   // the entry that this leader appended on its election
    Instant elected;
    HandOver hand_over;
    RoundId round;             // the newest heartbeat round
    Instant heartbeat_due;     // put off by each round for reads
    Instant housekeeping_due;  // and this is not
    Instant commit_notice_due = Instant::InfiniteFuture();
    ReadQueue reads;
    Lease lease{absl::ZeroDuration()};
    size_t uncommitted_bytes = 0;
    LogIndex heartbeat_last;  // the log's end a heartbeat interval ago
    std::optional<Transfer> transfer;
  };

  FollowerState* follower() { return std::get_if<FollowerState>(&role_); }
  LeaderState* lead() { return std::get_if<LeaderState>(&role_); }
  const LeaderState* lead() const { return std::get_if<LeaderState>(&role_); }

  // ---- raft_core.cc: terms, roles, messages, output

  void BecomeFollower(Instant now, Term term, NodeId leader, const char* reason);
  void LeaveLeadership();
  void NoteRole(const char* reason, std::optional<ElectionCause> attempt = std::nullopt);
  void AdoptTerm(Term term);
  void SetVote(NodeId vote);
  // Sends at once: requests, and news that rest on nothing that this node might forget.
  void Send(NodeId to, MessageBody body);
  void SendInTerm(NodeId to, Term term, MessageBody body);
  // Sends once this node's term and vote are durable.
  void PromiseTerm(NodeId to, MessageBody body);
  // Sends once this node's term, vote and log, as they are now, are durable.
  void PromiseLog(NodeId to, MessageBody body);
  bool HandleTermDifference(Instant now, const Message& message);
  void AnswerOlderTerm(const Message& message);
  void Dispatch(Instant now, Message message);
  void AdvanceCommit(LogIndex commit);
  std::optional<PersistBatch> TakePersistBatch();
  std::optional<CommittedRange> TakeCommitted();

  // ---- raft_core_election.cc

  void ResetElectionDue(Instant now);
  void RepeatVoteSoon(Instant now);
  void AskSoonAfterStart(Instant now);
  absl::Duration RandomBelow(absl::Duration bound);
  bool HearsFromLeader(Instant now) const;
  bool MayCampaign() const;
  void PromiseVote(Instant now);
  bool MayVote(Instant now) const { return now >= vote_promised_until_; }
  bool DiskIsStuck(Instant now) const;
  void StartPreVote(Instant now);
  void StartCampaign(Instant now, VoteRequest request, const char* reason,
                     std::optional<ElectionCause> attempt = std::nullopt);
  void OnVoteTally(Instant now);
  void Handle(Instant now, const Message& m, const PreVoteRequest& request);
  void Handle(Instant now, const Message& m, const PreVoteResponse& response);
  void Handle(Instant now, const Message& m, const VoteRequest& request);
  void Handle(Instant now, const Message& m, const VoteResponse& response);
  void Handle(Instant now, const Message& m, const TimeoutNow&);

  // ---- raft_core_follower.cc

  bool FollowLeader(Instant now, NodeId leader);
  void LearnCommit(LogIndex leader_commit);
  LogIndex AppendMissing(std::vector<Entry> entries);
  void TruncateFrom(LogIndex from);
  void AppendToLog(Entry entry);
  void Handle(Instant now, const Message& m, AppendRequest& request);
  void Handle(Instant now, const Message& m, const Heartbeat& heartbeat);
  void Handle(Instant now, const Message& m, const CommitNotice& notice);

  // ---- raft_core_leader.cc

  void BecomeLeader(Instant now);
  void OnLeaderDeadline(Instant now);
  void TryAgain(Instant now);
  bool QuorumIsSilent(Instant now) const;
  void BroadcastHeartbeat(Instant now);
  void AppendProposals(NodeId origin, std::vector<Proposal> proposals);
  void MaybeCommit(Instant now);
  void SendAppends(Instant now);
  void SendAppendsTo(Instant now, NodeId peer, Progress& progress);
  bool Gathers(Instant now, Progress& progress) const;
  void SendAppend(Instant now, NodeId peer, Progress& progress, std::vector<Entry> entries);
  void SendCommitNotices(Instant now);
  NodeId PreferredLeader(Instant now) const;
  void HandOverToPreferred(Instant now);
  void ContinueTransfer(Instant now);
  Progress* FindPeer(NodeId peer);
  Progress* NewsOf(Instant now, NodeId peer);
  Progress* HeardFrom(Instant now, NodeId peer);
  void Handle(Instant now, const Message& m, const AppendAccepted& accepted);
  void Handle(Instant now, const Message& m, const AppendRejected& rejected);
  void Handle(Instant now, const Message& m, const HeartbeatAck& ack);
  void Handle(Instant now, const Message& m, const StaleTerm&);
  void Handle(Instant now, const Message& m, ForwardProposals& forward);
  void RefuseForwarded(NodeId origin, Term term, const ForwardProposals& forward);

  // ---- raft_core_membership.cc

  std::optional<ChangeRefusal> BeginChange(Instant now, RequestId request,
                                           const std::vector<MembershipChange>& changes);
  std::optional<ChangeRefusal> MayBecome(Instant now, const Membership& target) const;
  bool ChangeMayBegin() const;
  bool KeepsUp(Instant now, NodeId node) const;
  Instant LastContact(NodeId node) const;
  bool IsInContact(Instant now, NodeId node) const;
  void AppendMembership(RequestId request, const Membership& membership);
  void NoteMembership(const Entry& entry);
  void OnMembershipChanged();
  void UpdatePeers();
  void EndFarewells(Instant now);
  void OnCommitAdvanced(LogIndex before);
  void ContinueChange(Instant now);
  void PromoteWhoKeepsUp(Instant now);
  bool MayBeNeededToLead() const;
  bool IsRemoved() const;
  void Handle(Instant now, const Message& m, const ForwardChange& forward);
  void Handle(Instant now, const Message& m, const ChangeRefused& refused);

  // ---- raft_core_snapshot.cc

  void WantSnapshot(NodeId peer, Progress& progress);
  void WantState(NodeId peer, Progress& progress);
  void RequestSnapshot(NodeId peer, const Progress& progress);
  void ResetLogTo(LogPosition position, std::optional<MembershipHistory::Item> membership);
  void Handle(Instant now, const Message& m, SnapshotChunk& chunk);
  void Handle(Instant now, const Message& m, const SnapshotAck& ack);

  // ---- raft_core_reads.cc

  void ConfirmRounds();
  void StartReadRound(Instant now);
  void TakeRead(Instant now, NodeId origin, ReadId id, ReadMode mode);
  void GrantRead(const ReadQueue::Read& read);
  void Handle(Instant now, const Message& m, const ReadRequest& request);
  void Handle(Instant now, const Message& m, const ReadReply& reply);
  void Handle(Instant now, const Message& m, const ReadRefused& refused);
  void Handle(Instant now, const Message& m, const ProposalsRefused& refused);

  const CoreOptions options_;
  Prng prng_;

  HardState hard_state_;
  bool hard_state_dirty_ = false;  // not yet given to the disk

  TermTrail trail_;                // the whole log's terms
  EntryWindow window_;             // the log's newest entries
  MembershipHistory memberships_;  // of the whole log
  bool peers_changed_ = true;      // and this was not told yet
  Term peers_term_;                // of the log's end when it was told last
  bool was_member_ = false;        // by a committed configuration
  bool removal_told_ = false;
  PersistTracker persisted_;
  LogIndex persist_from_;                  // the first entry not yet given to the disk
  std::optional<LogIndex> truncate_from_;  // not yet told to the disk
  std::optional<LogPosition> reset_to_;    // not yet told to the disk
  Payload reset_membership_;               // that goes with it
  LogIndex commit_;
  LogIndex leader_commit_;  // the newest commit index heard of; this log may not have got there
  LogIndex verified_;       // this log agrees with that of this term's leader up to here
  LogIndex apply_from_;     // the first entry not yet given to the applier
  bool needs_snapshot_;     // the log begins after the end of the state

  // What was forwarded to this node in the term that it led last: kept when it leads no more, for a
  // copy of what it took may come at any time and must not be refused.
  DuplicateFilter forwarded_;
  Term forwarded_term_;

  std::variant<FollowerState, PreCandidateState, CandidateState, LeaderState> role_;
  Instant leader_contact_ = Instant::InfinitePast();  // the last word of a leader
  Instant election_due_;
  // Before this the node votes for nobody, itself included, unless the leader asks it to: a leader
  // may count on it (Lease).
  Instant vote_promised_until_ = Instant::InfinitePast();
  // Until then elections follow each other quickly: the leader is known to be gone.
  Instant hurry_until_ = Instant::InfinitePast();
  bool campaigned_ = false;  // since there last was a leader
  Instant young_until_;      // an election timeout after the start

  Outbox outbox_;
  Ready ready_;  // what is being gathered for the next TakeReady, but for what outbox_ and the log
                 // hold
  std::optional<RoleChange> last_role_;
  LeaseReads lease_reads_;
  Instant now_;  // of the latest input; TakeReady acts at this time
  bool dirty_ = true;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_RAFT_CORE_H_
