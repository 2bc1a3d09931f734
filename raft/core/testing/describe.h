// The core's messages, batches and log positions in words, for golden files and failures.

#ifndef PONTOON_RAFT_CORE_TESTING_DESCRIBE_H_
#define PONTOON_RAFT_CORE_TESTING_DESCRIBE_H_

#include <string>
#include <vector>

#include "raft/base/types.h"
#include "raft/core/message.h"

namespace pontoon::raft {

std::string Describe(LogPosition position);               // "4@2": the entry 4, of term 2
std::string Describe(const std::vector<Entry>& entries);  // "4@2..6@2 7@3"; "none"
// "voters(1,2,4)from(1,2,3)learners(5)joining(5)", as far as there are any.
std::string Describe(const Membership& membership);
// "promote:4"
std::string Describe(const MembershipChange& change);
std::string Describe(const PersistBatch& batch);  // "term 2 vote 1, entries 4@2"
std::string Describe(const Message& message);     // "1 -> 2 Append term 2 ..."
std::string KindOf(const MessageBody& body);      // "Append", as in Describe
std::string NameOf(const Entry& entry);           // the payload, or "-" for a no-op

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_TESTING_DESCRIBE_H_
