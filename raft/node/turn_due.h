// TurnDue: when the loop of a replica must take a turn for a caller that has come.

#ifndef PONTOON_RAFT_NODE_TURN_DUE_H_
#define PONTOON_RAFT_NODE_TURN_DUE_H_

namespace pontoon::raft {

// While something is under way those who come after it gather, so that one turn, and one message,
// serves all of them. News of what is under way brings about that turn, but may be long in coming.
enum class TurnDue {
  kNow,   // nothing is under way, or it has been for too long
  kSoon,  // this is the first one that gathers
  kSet,   // those who came before have seen to it
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_TURN_DUE_H_
