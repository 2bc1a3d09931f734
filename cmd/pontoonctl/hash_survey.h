// HashSurvey: whether all members have the same data.

#ifndef PONTOON_CMD_PONTOONCTL_HASH_SURVEY_H_
#define PONTOON_CMD_PONTOONCTL_HASH_SURVEY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cmd/pontoonctl/cluster_survey.h"

namespace pontoon::ctl {

// What one member said of its keys up to the revision that all were asked for.
struct MemberHash {
  std::string endpoint;
  std::string name;
  // Hashes are to be compared only where the history begins at the same revision.
  int64_t compact_revision = 0;
  // Nothing: it did not say.
  std::optional<uint32_t> hash = {};
  std::string error = {};
};

enum class HashVerdict {
  kEqual,
  // Of two members with the same history the data differ: one of them is damaged.
  kDifferent,
  // No two differ, but some did not answer, or have their history from another revision on.
  kUnknown,
};

HashVerdict Compare(const std::vector<MemberHash>& hashes);

// The latest revision that all members of `survey` that answered have. 0: none did.
int64_t CommonRevision(const ClusterSurvey& survey);

// Asks every member of `survey` at the same time.
std::vector<MemberHash> AskForHashes(const ClusterSurvey& survey, int64_t revision,
                                     absl::Duration timeout);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_HASH_SURVEY_H_
