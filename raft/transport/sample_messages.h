// One message of every kind, and a text by which two messages can be compared: for tests.

#ifndef PONTOON_RAFT_TRANSPORT_SAMPLE_MESSAGES_H_
#define PONTOON_RAFT_TRANSPORT_SAMPLE_MESSAGES_H_

#include <string>
#include <vector>

#include "raft/base/types.h"
#include "raft/core/message.h"

namespace pontoon::raft {

Entry SampleCommand(LogIndex index, Term term, const std::string& payload);

// In the order of MessageBody.
std::vector<Message> SampleMessages(NodeId from, NodeId to);

// The kind and all fields of a message.
std::string Described(const Message& message);

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_TRANSPORT_SAMPLE_MESSAGES_H_
