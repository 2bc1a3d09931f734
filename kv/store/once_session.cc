#include "kv/store/once_session.h"

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/errors.h"
#include "kv/store/layout.h"
#include "kv/store/lease_records.h"

namespace pontoon::kv {
namespace {

using storage::v1::OnceDecision;

absl::Status Damaged(LeaseId lease) {
  return absl::DataLossError(
      absl::StrCat("damaged record of the writes of session ", lease.value()));
}

// To look for so few decisions costs less than a walk, which looks into every level of LevelDB.
constexpr uint64_t kLookupsMax = 8;

// The keys of records from `begin` on, up to `end`.
absl::StatusOr<std::vector<std::string>> ListKeys(const RecordReader& records,
                                                  const std::string& begin,
                                                  const std::string& end) {
  std::vector<std::string> keys;
  const std::unique_ptr<RecordIterator> record = records.NewIterator();
  for (record->Seek(begin); record->Valid() && record->key() < end; record->Next()) {
    keys.emplace_back(record->key());
  }
  if (!record->status().ok()) return record->status();
  return keys;
}

// The keys of the decisions from `begin` on, up to `end`, in order.
absl::StatusOr<std::vector<std::string>> ListDecisions(const RecordReader& records, LeaseId lease,
                                                       uint64_t begin, uint64_t end) {
  if (end - begin > kLookupsMax) {
    return ListKeys(records, OnceDecisionKey(lease, begin), OnceDecisionKey(lease, end));
  }
  std::vector<std::string> keys;
  std::string decision;
  for (uint64_t sequence = begin; sequence < end; ++sequence) {
    std::string key = OnceDecisionKey(lease, sequence);
    const absl::StatusOr<bool> found = records.Get(key, &decision);
    if (!found.ok()) return found.status();
    if (*found) keys.push_back(std::move(key));
  }
  return keys;
}

// Puts an answer into a decision.
struct AnswerKeeper {
  OnceDecision* decision;

  void operator()(const etcdserverpb::PutResponse& response) const {
    *decision->mutable_put() = response;
  }
  void operator()(const etcdserverpb::DeleteRangeResponse& response) const {
    *decision->mutable_delete_range() = response;
  }
  void operator()(const etcdserverpb::TxnResponse& response) const {
    *decision->mutable_txn() = response;
  }
  // No other command has a session (CommandRunner).
  template <typename Other>
  void operator()(const Other&) const {}
};

template <typename Response>
void RepeatAnswer(const Response& answer, KvResult* result) {
  Response& response = result->response.emplace<Response>(answer);
  response.mutable_write_report()->set_repeated(true);
}

}  // namespace

absl::StatusOr<std::optional<OnceSession>> OnceSession::Load(LeaseId lease, WriteOverlay* overlay) {
  const absl::StatusOr<std::optional<LeaseState>> exists = ReadLease(*overlay, lease);
  if (!exists.ok()) return exists.status();
  if (!exists->has_value()) return std::nullopt;
  State state;
  std::string bytes;
  const absl::StatusOr<bool> begun = overlay->Get(OnceSessionKey(lease), &bytes);
  if (!begun.ok()) return begun.status();
  if (*begun) {
    std::string_view rest = bytes;
    if (!TakeVarint(&rest, &state.forgotten_below) || !TakeVarint(&rest, &state.decisions) ||
        !rest.empty()) {
      return Damaged(lease);
    }
  }
  return OnceSession(lease, state, overlay);
}

absl::Status OnceSession::ForgetBelow(uint64_t sequence) {
  if (sequence <= state_.forgotten_below) return absl::OkStatus();
  const auto forgotten = ListDecisions(*overlay_, lease_, state_.forgotten_below, sequence);
  if (!forgotten.ok()) return forgotten.status();
  if (forgotten->size() > state_.decisions) return Damaged(lease_);
  for (const std::string& key : *forgotten) overlay_->Delete(key);
  state_.decisions -= forgotten->size();
  state_.forgotten_below = sequence;
  PutState();
  return absl::OkStatus();
}

absl::StatusOr<std::optional<OnceDecision>> OnceSession::Find(uint64_t sequence) const {
  std::string bytes;
  const absl::StatusOr<bool> found = overlay_->Get(OnceDecisionKey(lease_, sequence), &bytes);
  if (!found.ok()) return found.status();
  if (!*found) return std::nullopt;
  OnceDecision decision;
  if (!decision.ParseFromString(bytes)) return Damaged(lease_);
  return decision;
}

absl::Status OnceSession::Admit(uint64_t sequence) const {
  if (sequence < state_.forgotten_below) return kErrOnceForgotten;
  if (state_.decisions >= kOnceWritesMax) return kErrOnceTooMany;
  return absl::OkStatus();
}

void OnceSession::Keep(uint64_t sequence, uint64_t fingerprint, const KvResult& decided) {
  OnceDecision decision;
  if (decided.status.ok()) {
    std::visit(AnswerKeeper{&decision}, decided.response);
    if (decision.ByteSizeLong() > kOnceAnswerBytesMax) decision.set_answer_too_large(true);
  } else {
    decision.mutable_refusal()->set_code(static_cast<int32_t>(decided.status.code()));
    decision.mutable_refusal()->set_text(std::string(decided.status.message()));
  }
  decision.set_fingerprint(fingerprint);
  overlay_->Put(OnceDecisionKey(lease_, sequence), decision.SerializeAsString());
  ++state_.decisions;
  PutState();
}

void OnceSession::PutState() {
  std::string bytes;
  AppendVarint(state_.forgotten_below, &bytes);
  AppendVarint(state_.decisions, &bytes);
  overlay_->Put(OnceSessionKey(lease_), bytes);
}

KvResult Repeat(const OnceDecision& decision) {
  KvResult result;
  switch (decision.outcome_case()) {
    case OnceDecision::kPut:
      RepeatAnswer(decision.put(), &result);
      break;
    case OnceDecision::kDeleteRange:
      RepeatAnswer(decision.delete_range(), &result);
      break;
    case OnceDecision::kTxn:
      RepeatAnswer(decision.txn(), &result);
      break;
    case OnceDecision::kRefusal:
      result.status = absl::Status(static_cast<absl::StatusCode>(decision.refusal().code()),
                                   decision.refusal().text());
      break;
    case OnceDecision::kAnswerTooLarge:
    case OnceDecision::OUTCOME_NOT_SET:
      result.status = kErrOnceAnswerTooLarge;
      break;
  }
  return result;
}

absl::Status ForgetOnceSession(LeaseId lease, WriteOverlay* overlay) {
  std::string bytes;
  const absl::StatusOr<bool> begun = overlay->Get(OnceSessionKey(lease), &bytes);
  if (!begun.ok() || !*begun) return begun.status();
  const std::string last = OnceDecisionKey(lease, std::numeric_limits<uint64_t>::max());
  const auto keys = ListKeys(*overlay, OnceSessionKey(lease), last + '\0');
  if (!keys.ok()) return keys.status();
  for (const std::string& key : *keys) overlay->Delete(key);
  return absl::OkStatus();
}

}  // namespace pontoon::kv
