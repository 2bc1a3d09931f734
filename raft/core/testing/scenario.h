// Scenario: runs a test that is a text.
//
// A scenario file tells a story in comments (#). Between them stand blocks: some commands, a line
// "----", and what then happened, up to an empty line. Running a scenario yields the same text with
// what happens now; the test compares the two, and the updating mode writes the new one.
//
//   cluster N [option=value ...]   Starts the nodes 1..N. Options: heartbeat, election, lease,
//                                  notice, inflight, inflight-bytes, append-bytes, window-bytes,
//                                  uncommitted-bytes, seed; founders=K: only the nodes 1..K vote
//                                  in the beginning, and the others know of nobody;
//                                  prefer=N: N is preferred as leader.
//   given N term T [vote V] [log T T ...] [applied A]
//                                  Gives node N a disk: the terms of its log's entries.
//   campaign N...                  Runs the clock of N to its election deadline.
//   elect N by M...                Makes N leader by the votes of M alone: their messages, clocks
//                                  and disks; nothing else moves.
//   skip D N...                    The clocks of N run on by D; no deadline fires.
//   time D [N...|none]             All clocks run on by D; deadlines fire on N..., or all nodes.
//   run D                          The same for all, and everything settles after each deadline.
//   deliver WHICH, drop WHICH      Messages on the way now, in their order.
//   duplicate WHICH, delay WHICH   A copy, or the message, stays behind until "arrive" asks for it.
//   arrive WHICH                   Delivers messages that stayed behind.
//   reorder WHICH                  Turns their order round.
//   network                        Lists the messages on the way.
//   persist N [COUNT]              The disk of N writes (COUNT of) its batches and reports them.
//   hold-disk N, free-disk N       The disk of N waits for "persist"; or not any more.
//   read-log N, damage-log N       Answers one request of N to read its log; with its disk's
//                                  failure to do so.
//   propose N NAME..., read N, lease-read N, transfer N M|any, unreachable N M, down N M
//   change N CHANGE...             Asks N for a change of membership; together: add:M (a learner
//   that
//                                  is promoted by itself), add-learner:M, promote:M, demote:M,
//                                  remove:M.
//   compact N A                    Drops the log of N up to the entry A.
//   send-snapshot N                Sends a snapshot that the leader N is asked for, in one message.
//   give-up-snapshots N            Takes those that were sent, and not acknowledged, for lost.
//   crash N [applied A], restart N A crash loses what was not persisted, and what the state machine
//                                  applied after A.
//   crash N state-lost             The same, and the state machine comes back empty.
//   partition N.. | M.. [| ..], cut N->M, heal
//   stabilize                      Deliver and persist until nothing is left to do.
//   state, log N..., members N...  What the nodes are and have, and by whom they go.
//
// WHICH: "all", or a kind ("Append"), a link ("1->2", "1->", "->2") or both, then "first" or "last"
// for one message. "quietly COMMAND" runs without output.

#ifndef PONTOON_RAFT_CORE_TESTING_SCENARIO_H_
#define PONTOON_RAFT_CORE_TESTING_SCENARIO_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "raft/core/testing/test_cluster.h"

namespace pontoon::raft {

class Scenario {
 public:
  struct Outcome {
    std::string text;                    // the scenario with what happened now
    std::optional<std::string> failure;  // a broken invariant, or a command that makes no sense
  };

  static Outcome Run(const std::string& text);

 private:
  using Words = std::vector<std::string>;

  void RunLine(int line, const std::string& command);
  void Command(Words words);
  void Cluster(const Words& words);
  void Given(const Words& words);
  void Campaign(const Words& words);
  void Elect(const Words& words);
  void DeliverBetween(const std::string& kind, NodeId from, NodeId to);
  void PersistAll(NodeId node);
  void Skip(const Words& words);
  void Time(const Words& words);
  void RunFor(const Words& words);
  void OnPackets(const std::string& verb, Words words);
  void Persist(const Words& words);
  void Partition(const Words& words);
  void PrintState();
  void PrintLog(const Words& words);
  void PrintMembers(const Words& words);
  void Change(const Words& words);

  // The positions of the packets that `which` names.
  std::vector<size_t> Select(Words which, bool delayed);
  void Stabilize();

  NodeId Node(const std::string& word);
  std::vector<NodeId> NodesFrom(const Words& words, size_t position);
  absl::Duration DurationOf(const std::string& word);
  uint64_t Number(const std::string& word);
  std::pair<NodeId, NodeId> Link(const std::string& word);
  void Print(const std::string& line);
  void Fail(const std::string& why);
  bool failed() const { return failure_.has_value(); }

  std::unique_ptr<TestCluster> cluster_;
  std::set<NodeId> held_disks_;
  std::string output_;  // of this block
  bool quiet_ = false;
  int line_ = 0;
  std::optional<std::string> failure_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_TESTING_SCENARIO_H_
