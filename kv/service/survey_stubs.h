// SurveyStubs: connections to the surveys of other members.

#ifndef PONTOON_KV_SERVICE_SURVEY_STUBS_H_
#define PONTOON_KV_SERVICE_SURVEY_STUBS_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "proto/survey.grpc.pb.h"

namespace pontoon::kv {

// Connections are made when they are needed, and kept.
//
// Thread safety: all methods may be called from any thread.
class SurveyStubs {
 public:
  using Stub = pontoon::peer::v1::Survey::Stub;

  // For the member at `peer_url`: "http://host:port".
  std::shared_ptr<Stub> For(const std::string& peer_url);

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Stub>> stubs_;  // by address; guarded by mutex_
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_SURVEY_STUBS_H_
