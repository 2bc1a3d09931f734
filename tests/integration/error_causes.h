// What clients do to get the errors of the API.

#ifndef PONTOON_TESTS_INTEGRATION_ERROR_CAUSES_H_
#define PONTOON_TESTS_INTEGRATION_ERROR_CAUSES_H_

#include <grpcpp/support/status.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kv/errors.h"
#include "tests/integration/cluster.h"
#include "tests/integration/settings.h"

namespace pontoon::testing {

// What an etcd 3.4 says to the same: by default it gives the same error.
struct InEtcd {
  enum class Kind { kSame, kOther, kNotAsked };

  static constexpr InEtcd Same() { return {}; }
  static constexpr InEtcd Other(kv::ApiError error, const char* why) {
    return {Kind::kOther, error, why};
  }
  static constexpr InEtcd NotAsked(const char* why) { return {Kind::kNotAsked, {}, why}; }

  Kind kind = Kind::kSame;
  kv::ApiError other = {};
  const char* why = "";
};

// How a client causes an error.
struct Cause {
  const char* name;  // the call, and what is wrong with it
  kv::ApiError error;
  std::function<grpc::Status(Cluster&)> provoke;  // returns what the client is told
  Setting setting = Setting::kHealthy;
  InEtcd in_etcd = InEtcd::Same();
};

// Those of one setting follow each other.
const std::vector<Cause>& ErrorCauses();

// Why no client can cause an error.
struct Unreachable {
  kv::ApiError error;
  const char* why;
};
const std::vector<Unreachable>& UnreachableErrors();

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_ERROR_CAUSES_H_
