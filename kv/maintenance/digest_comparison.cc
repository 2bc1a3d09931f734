#include "kv/maintenance/digest_comparison.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>

namespace pontoon::kv {
namespace {

// Members that write are apart by less than this many steps of digests.
constexpr uint64_t kStepsReported = 8;

// The digests after one entry.
using DigestsAt = std::map<NodeId, StateDigest>;

// The digest that a majority of the voters has.
std::optional<StateDigest> MajorityOf(const DigestsAt& digests, const std::vector<NodeId>& voters) {
  for (const auto& [node, digest] : digests) {
    const auto agrees = [&, &wanted = digest](NodeId voter) {
      const auto found = digests.find(voter);
      return found != digests.end() && found->second == wanted;
    };
    const auto count = std::count_if(voters.begin(), voters.end(), agrees);
    if (2 * static_cast<size_t>(count) > voters.size()) return digest;
  }
  return std::nullopt;
}

}  // namespace

DigestReport ReportOf(const KvStore& store) {
  const std::shared_ptr<const ReadView> view = store.View();
  const uint64_t applied = view->applied().index.value();
  DigestReport report = {{view->applied().index, view->digest()}};
  const uint64_t last_step = applied / KvStore::kDigestStep;
  for (uint64_t step = last_step; step > 0 && last_step - step < kStepsReported; --step) {
    const LogIndex index(step * KvStore::kDigestStep);
    if (const auto digest = store.DigestAt(index)) report.emplace(index, *digest);
  }
  return report;
}

Comparison CompareDigests(const std::map<NodeId, DigestReport>& reports,
                          const std::vector<NodeId>& voters) {
  std::map<LogIndex, DigestsAt> by_index;
  for (const auto& [node, report] : reports) {
    for (const auto& [index, digest] : report) by_index[index][node] = digest;
  }
  Comparison comparison;
  std::set<NodeId> corrupt;
  for (const auto& [index, digests] : by_index) {
    const StateDigest first = digests.begin()->second;
    const bool differ = std::any_of(digests.begin(), digests.end(),
                                    [first](const auto& one) { return one.second != first; });
    if (!differ) continue;
    const std::optional<StateDigest> right = MajorityOf(digests, voters);
    if (!right.has_value()) {
      comparison.is_undecided = true;
      continue;
    }
    for (const auto& [node, digest] : digests) {
      if (digest != *right) corrupt.insert(node);
    }
  }
  comparison.corrupt.assign(corrupt.begin(), corrupt.end());
  return comparison;
}

}  // namespace pontoon::kv
