#include "tests/integration/store_state.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pontoon::testing {
namespace {

constexpr int64_t kPageKeys = 5000;
constexpr size_t kShownMax = 10;

bool Equal(const mvccpb::KeyValue& a, const mvccpb::KeyValue& b) {
  return a.key() == b.key() && a.value() == b.value() && a.version() == b.version() &&
         a.create_revision() == b.create_revision() && a.mod_revision() == b.mod_revision() &&
         a.lease() == b.lease();
}

std::string InWords(const mvccpb::KeyValue& kv) {
  return absl::StrCat("version ", kv.version(), " of ", kv.create_revision(), " at ",
                      kv.mod_revision(), ", ", kv.value().size(), " bytes");
}

}  // namespace

absl::StatusOr<StoreState> ReadState(Client& client, std::string_view prefix, ReadMode mode) {
  StoreState state;
  etcdserverpb::RangeRequest request = PrefixRange(prefix, mode);
  request.set_limit(kPageKeys);
  for (bool more = true; more;) {
    Answer<etcdserverpb::RangeResponse> page = client.Range(request);
    if (!page.ok()) {
      return absl::UnavailableError(
          absl::StrCat("reading from ", client.address(), ": ", page.status.error_message()));
    }
    if (state.revision == 0) state.revision = page.response.header().revision();
    more = page.response.more();
    if (more && page.response.kvs().empty()) return absl::InternalError("an empty page with more");
    if (more) request.set_key(page.response.kvs().rbegin()->key() + '\0');
    request.set_revision(state.revision);
    request.set_serializable(true);  // a revision never changes
    for (mvccpb::KeyValue& kv : *page.response.mutable_kvs()) {
      std::string key = kv.key();
      state.keys.emplace(std::move(key), std::move(kv));
    }
  }
  return state;
}

std::string DifferenceOf(const StoreState& want, const StoreState& got) {
  std::vector<std::string> differences;
  if (want.revision != got.revision) {
    differences.push_back(absl::StrCat("revision ", got.revision, " for ", want.revision));
  }
  for (const auto& [key, kv] : want.keys) {
    const auto found = got.keys.find(key);
    if (found == got.keys.end()) {
      differences.push_back(absl::StrCat(absl::CHexEscape(key), " is missing"));
    } else if (!Equal(kv, found->second)) {
      differences.push_back(absl::StrCat(absl::CHexEscape(key), " is ", InWords(found->second),
                                         " for ", InWords(kv)));
    }
  }
  for (const auto& [key, kv] : got.keys) {
    if (!want.keys.contains(key)) {
      differences.push_back(absl::StrCat(absl::CHexEscape(key), " should not be there"));
    }
  }
  if (differences.size() > kShownMax) {
    const size_t more = differences.size() - kShownMax;
    differences.resize(kShownMax);
    differences.push_back(absl::StrCat("and ", more, " more"));
  }
  return absl::StrJoin(differences, "\n");
}

}  // namespace pontoon::testing
