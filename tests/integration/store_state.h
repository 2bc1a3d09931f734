// StoreState: all that a node's store holds under a prefix, to be compared.

#ifndef PONTOON_TESTS_INTEGRATION_STORE_STATE_H_
#define PONTOON_TESTS_INTEGRATION_STORE_STATE_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/kv.pb.h"
#include "tests/integration/client.h"

namespace pontoon::testing {

// The keys as of one revision.
struct StoreState {
  int64_t revision = 0;
  std::map<std::string, mvccpb::KeyValue> keys;
};

// Reads everything under `prefix` in one state of the store, through pages of a fixed revision.
absl::StatusOr<StoreState> ReadState(Client& client, std::string_view prefix, ReadMode mode);

// "" if both states are equal, with all their revisions and versions; otherwise the first few
// differences, in words.
std::string DifferenceOf(const StoreState& want, const StoreState& got);

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_STORE_STATE_H_
