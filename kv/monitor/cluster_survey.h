// ClusterSurvey: what all members say of themselves at about the same time.

#ifndef PONTOON_KV_MONITOR_CLUSTER_SURVEY_H_
#define PONTOON_KV_MONITOR_CLUSTER_SURVEY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "kv/service/member_directory.h"
#include "kv/service/status_reporter.h"
#include "kv/service/survey_stubs.h"
#include "kv/store/kv_store.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// One member, and what it said.
struct SurveyedMember {
  MemberInfo info;
  bool is_learner = false;
  std::optional<etcdserverpb::StatusResponse> status;  // nothing: it did not answer
  std::string error;                                   // why it did not
};

struct Survey {
  NodeId served_by;
  std::vector<SurveyedMember> members;  // by name
  std::string error;                    // why there is no list of members

  // The member that leads, by its own word; of several, the one of the latest term. Null: none.
  const SurveyedMember* Leader() const;
};

// Asks the members on their peer ports (proto/survey.proto), and this member directly.
//
// Thread safety: all methods may be called from any thread.
class ClusterSurveyor {
 public:
  struct Parts {  // all borrowed
    const raft::Replica* replica;
    const KvStore* store;
    const MemberDirectory* directory;
    const StatusReporter* own;
  };

  explicit ClusterSurveyor(const Parts& parts) : parts_(parts) {}

  // Waits for the answers, no longer than `timeout`.
  Survey Take(absl::Duration timeout);

 private:
  void AskOthers(absl::Duration timeout, std::vector<SurveyedMember>* members);

  const Parts parts_;
  SurveyStubs stubs_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MONITOR_CLUSTER_SURVEY_H_
