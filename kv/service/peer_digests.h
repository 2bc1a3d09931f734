// PeerDigests: asks other members for the digests of their states.

#ifndef PONTOON_KV_SERVICE_PEER_DIGESTS_H_
#define PONTOON_KV_SERVICE_PEER_DIGESTS_H_

#include <map>

#include "absl/time/time.h"
#include "kv/maintenance/digest_comparison.h"
#include "kv/maintenance/divergence_watch.h"
#include "kv/service/survey_stubs.h"
#include "raft/base/membership.h"

namespace pontoon::kv {

// On their peer ports (proto/survey.proto).
//
// Thread safety: all methods may be called from any thread.
class PeerDigests {
 public:
  // For DivergenceWatch::Ask. Waits for the answers, no longer than `timeout`. Who does not answer,
  // or is not the one who was to be asked, is left out.
  std::map<NodeId, DigestReport> Ask(const PeerUrls& members, DivergenceWatch::Tone tone,
                                     absl::Duration timeout);

 private:
  SurveyStubs stubs_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_PEER_DIGESTS_H_
