// The messages of the protocol, as the core sees them. raft/transport turns them into protobuf.

#ifndef PONTOON_RAFT_CORE_MESSAGE_H_
#define PONTOON_RAFT_CORE_MESSAGE_H_

#include <variant>
#include <vector>

#include "raft/base/membership_change.h"
#include "raft/base/types.h"

namespace pontoon::raft {

// Would you vote for me in Message::term, which is one more than the sender's? Asked before a
// campaign so that a node that cannot win disturbs nobody (thesis 9.6). Changes nothing at the
// receiver.
struct PreVoteRequest {
  LogPosition last;  // of the candidate's log
};

// Message::term is the term that was asked for if granted, else the answering node's own term.
struct PreVoteResponse {
  bool granted = false;
};

struct VoteRequest {
  LogPosition last;
  // The leader itself asked for this campaign: voters do not hold on to it (thesis 3.10).
  bool leader_asked = false;
};

struct VoteResponse {
  bool granted = false;
};

struct AppendRequest {
  LogPosition prev;  // of the entry before the first of `entries`
  std::vector<Entry> entries;
  LogIndex commit;  // the leader's
};

// The receiver's log agrees with the leader's up to `match`, and its disk keeps it.
struct AppendAccepted {
  LogIndex match;
};

// The receiver has no entry `rejected` of the leader's term for it.
struct AppendRejected {
  LogIndex rejected;  // AppendRequest::prev.index of the refused request
  // The last position in the receiver's log that could agree: no later than `rejected`, of no later
  // term than the leader's entry there. The leader skips back a whole term at a time.
  LogPosition hint;
};

struct Heartbeat {
  LogIndex commit;  // the leader's
  RoundId round;    // echoed; confirms reads and leadership
};

struct HeartbeatAck {
  RoundId round;
  // Whether appends of this term have shown the receiver's log to agree with the leader's as far as
  // that has committed, or as this log goes. A follower that restarted within the term does not
  // know that any more.
  bool log_verified = false;
  // The receiver's log begins after this entry, and its state ends before it: it cannot apply
  // anything before it gets a snapshot of this entry or a later one. 0: all is well.
  LogIndex needs_snapshot_of;
  uint32_t priority = 0;  // CoreOptions::priority of the receiver
};

// The leader's commit index, sent when no append is on its way to carry it. Not answered.
struct CommitNotice {
  LogIndex commit;
};

// Answers a request of an older term; Message::term is the news.
struct StaleTerm {};

// The leader to its chosen successor: campaign at once (thesis 3.10).
struct TimeoutNow {};

struct Proposal {
  RequestId request;
  Payload payload;
};

// A follower passes its clients' commands to the leader. Takes effect only in Message::term.
struct ForwardProposals {
  std::vector<Proposal> proposals;
};

// The receiver of forwarded proposals did not append them, and never will: they may be proposed
// again.
struct ProposalsRefused {
  std::vector<RequestId> requests;
};

// A follower passes a change of membership, which its operator asks for, to the leader. Takes
// effect only in Message::term.
struct ForwardChange {
  RequestId request;
  std::vector<MembershipChange> changes;
};

// The leader did not begin a forwarded change, and never will.
struct ChangeRefused {
  RequestId request;
  ChangeRefusal refusal = ChangeRefusal::kNoLeader;
};

// How a leader makes sure that it still leads when a read begins.
enum class ReadMode {
  kQuorum,  // it asks a quorum
  kLease,   // it trusts its lease, and the clocks; without a lease it asks a quorum
};

// A follower asks for an index at which a read is linearizable. Takes effect only in Message::term.
struct ReadRequest {
  ReadId id;
  ReadMode mode = ReadMode::kQuorum;
};

// The leader made sure, after it got the request, that it led; the read may be served at `index` or
// later.
struct ReadReply {
  ReadId id;
  LogIndex index;
};

// The receiver does not lead in the request's term, or stopped leading before the read was
// confirmed.
struct ReadRefused {
  ReadId id;
};

// A piece of the state machine of the leader, for a follower that needs entries which are gone from
// the leader's log (thesis 5.3). The pieces of one transfer follow each other without a gap.
struct SnapshotChunk {
  TransferId transfer;
  LogPosition position;  // the last entry in that state
  uint64_t offset = 0;   // of `bytes` in the transfer
  Payload bytes;
  bool last = false;  // the transfer ends with `bytes`
};

// How far the receiver has got with a transfer.
struct SnapshotAck {
  enum class State {
    kUnderWay,
    kComplete,  // all is there, and the receiver's core knows
    kRefused,   // it wants no more of this transfer
  };

  TransferId transfer;
  uint64_t received = 0;  // bytes from the beginning, without a gap
  State state = State::kUnderWay;
};

using MessageBody =
    std::variant<PreVoteRequest, PreVoteResponse, VoteRequest, VoteResponse, AppendRequest,
                 AppendAccepted, AppendRejected, Heartbeat, HeartbeatAck, CommitNotice, StaleTerm,
                 TimeoutNow, ForwardProposals, ProposalsRefused, ReadRequest, ReadReply,
                 ReadRefused, SnapshotChunk, SnapshotAck, ForwardChange, ChangeRefused>;

struct Message {
  NodeId from;
  NodeId to;
  Term term;  // of the sender, where the body does not say otherwise
  MessageBody body;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_MESSAGE_H_
