// Normaliser: makes what etcdctl prints of two clusters comparable.

#ifndef PONTOON_TESTS_INTEGRATION_ETCDCTL_NORMALISER_H_
#define PONTOON_TESTS_INTEGRATION_ETCDCTL_NORMALISER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pontoon::testing {

// Replaces what two clusters that were told the same cannot have in common, and nothing else:
//
//   addresses          127.0.0.1:<port>            -> <client1>, <peer1>, ...
//   ids                of the cluster, members and
//                      leases, decimal or hexadecimal,
//                      padded or not               -> <cluster>, <member1>, ...
//   keys of locks      and of candidates: name/<id of a lease>             -> name/LEASE
//   Raft's counters    raft_term, raftTerm, raftIndex, raftAppliedIndex and their spellings -> N
//   sizes              dbSize, dbSizeInUse, "20 kB" in the status, size    -> SIZE
//   version            of the server, in the status                        -> VERSION
//   times              took, ts, what remains of a lease                   -> TIME
//   names of clients   endpoint://client-<uuid>                            -> client-UUID
//   table layout       columns are as wide as their contents: cells are trimmed, rules dropped
//
// Revisions, versions of keys, counts, texts, codes and the order of lines stay as they are.
class Normaliser {
 public:
  // Replaces the exact text `from` by `to`, where no letter or digit touches it.
  void Replace(std::string from, std::string to);

  // Replaces an id in all of its spellings.
  void ReplaceId(uint64_t id, const std::string& to);

  std::string Apply(const std::string& output) const;

 private:
  std::vector<std::pair<std::string, std::string>> replacements_;
};

// For lists whose order follows from ids: the lines of `output`, sorted.
std::string SortLines(const std::string& output);

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_ETCDCTL_NORMALISER_H_
