#include "kv/service/write_options.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "kv/refused.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pontoon::kv {
namespace {

using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::PutRequest;
using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;
using storage::v1::Command;
using storage::v1::WriteConditions;
using v1::WriteOptions;

constexpr char kOncePrefix[] = "pontoon-once-";
constexpr char kSessionKey[] = "pontoon-once-session";
constexpr char kSequenceKey[] = "pontoon-once-sequence";
constexpr char kAnsweredBelowKey[] = "pontoon-once-answered-below";
constexpr char kFencePrefix[] = "pontoon-fence-";
constexpr char kFenceKeyKey[] = "pontoon-fence-key";
constexpr char kFenceRevisionKey[] = "pontoon-fence-revision";

absl::string_view ViewOf(grpc::string_ref text) { return {text.data(), text.size()}; }

// Whether any key begins with `prefix`.
bool Mentions(const CallMetadata& metadata, const char* prefix) {
  const auto first = metadata.lower_bound(prefix);
  return first != metadata.end() && absl::StartsWith(ViewOf(first->first), prefix);
}

// A misspelt option would be one that is not heeded.
absl::Status CheckKeys(const CallMetadata& metadata, const char* prefix) {
  for (auto entry = metadata.lower_bound(prefix);
       entry != metadata.end() && absl::StartsWith(ViewOf(entry->first), prefix); ++entry) {
    bool known = false;
    for (const char* key :
         {kSessionKey, kSequenceKey, kAnsweredBelowKey, kFenceKeyKey, kFenceRevisionKey}) {
      known |= entry->first == key;
    }
    if (!known) return Refused("there is no metadata ", ViewOf(entry->first));
  }
  return absl::OkStatus();
}

// Sets `number` if `key` is there.
template <typename Number>
absl::Status TakeNumber(const CallMetadata& metadata, const char* key, Number* number) {
  const auto text = FindMetadata(metadata, key);
  if (!text.has_value() || absl::SimpleAtoi(*text, number)) return absl::OkStatus();
  return Refused(key, " is a number");
}

absl::StatusOr<WriteOptions> OptionsIn(const CallMetadata& metadata) {
  WriteOptions options;
  if (Mentions(metadata, kOncePrefix)) {
    int64_t session = 0;
    uint64_t sequence = 0, answered_below = 0;
    for (const absl::Status& s :
         {CheckKeys(metadata, kOncePrefix), TakeNumber(metadata, kSessionKey, &session),
          TakeNumber(metadata, kSequenceKey, &sequence),
          TakeNumber(metadata, kAnsweredBelowKey, &answered_below)}) {
      if (!s.ok()) return s;
    }
    options.mutable_once()->set_session(session);
    options.mutable_once()->set_sequence(sequence);
    options.mutable_once()->set_answered_below(answered_below);
  }
  if (Mentions(metadata, kFencePrefix)) {
    int64_t revision = 0;
    for (const absl::Status& s :
         {CheckKeys(metadata, kFencePrefix), TakeNumber(metadata, kFenceRevisionKey, &revision)}) {
      if (!s.ok()) return s;
    }
    const auto key = FindMetadata(metadata, kFenceKeyKey);
    if (key.has_value()) options.mutable_fence()->set_key(std::string(*key));
    options.mutable_fence()->set_create_revision(revision);
  }
  return options;
}

absl::Status Check(const WriteOptions& options) {
  if (options.has_once()) {
    const v1::Once& once = options.once();
    if (once.session() == 0) {
      return Refused("a write that is to be done once needs a session: the ID of a lease");
    }
    if (once.sequence() == 0) {
      return Refused("a write that is to be done once needs a sequence, from 1 on");
    }
    if (once.answered_below() > once.sequence()) {
      return Refused("answered_below is ", once.answered_below(), ", and this write, ",
                     once.sequence(), ", has no answer yet");
    }
  }
  if (options.has_fence()) {
    if (options.fence().key().empty()) return Refused("a fence needs the key of a lock");
    if (options.fence().create_revision() <= 0) {
      return Refused("a fence needs the create revision of its lock");
    }
  }
  return absl::OkStatus();
}

// Of the request without its options, which a copy that is sent again may have elsewhere. `field`
// is its own in Command.
template <typename Request>
uint64_t FingerprintOf(const Request& request, int field) {
  Request bare = request;
  bare.clear_write_options();
  const std::string bytes = bare.SerializeAsString();
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), static_cast<uint64_t>(field));
}

template <typename Request>
absl::StatusOr<WriteConditions> ConditionsOf(const Request& request, int field,
                                             const CallMetadata& metadata) {
  WriteConditions conditions;
  if (request.has_write_options()) {
    *conditions.mutable_options() = request.write_options();
  } else if (Mentions(metadata, kOncePrefix) || Mentions(metadata, kFencePrefix)) {
    absl::StatusOr<WriteOptions> options = OptionsIn(metadata);
    if (!options.ok()) return options.status();
    *conditions.mutable_options() = *std::move(options);
  } else {
    return conditions;
  }
  if (absl::Status s = Check(conditions.options()); !s.ok()) return s;
  if (conditions.options().has_once()) {
    conditions.set_fingerprint(FingerprintOf(request, field));
  }
  return conditions;
}

// Whether there are options within a transaction, below its own.
bool HasInnerOptions(const TxnRequest& request) {
  for (const auto* list : {&request.success(), &request.failure()}) {
    for (const RequestOp& op : *list) {
      if (op.request_put().has_write_options() || op.request_delete_range().has_write_options() ||
          op.request_txn().has_write_options() || HasInnerOptions(op.request_txn())) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<WriteConditions> WriteConditionsOf(const PutRequest& request,
                                                  const CallMetadata& metadata) {
  return ConditionsOf(request, Command::kPutFieldNumber, metadata);
}

absl::StatusOr<WriteConditions> WriteConditionsOf(const DeleteRangeRequest& request,
                                                  const CallMetadata& metadata) {
  return ConditionsOf(request, Command::kDeleteRangeFieldNumber, metadata);
}

absl::StatusOr<WriteConditions> WriteConditionsOf(const TxnRequest& request,
                                                  const CallMetadata& metadata) {
  if (HasInnerOptions(request)) {
    return Refused("write options stand in a transaction, not in its operations");
  }
  return ConditionsOf(request, Command::kTxnFieldNumber, metadata);
}

bool IsOnce(const WriteOptions& options, const CallMetadata& metadata) {
  return options.has_once() || Mentions(metadata, kOncePrefix);
}

absl::Status CheckNoWriteOptions(const TxnRequest& request) {
  if (!request.has_write_options() && !HasInnerOptions(request)) return absl::OkStatus();
  return Refused("write options are for transactions that write; this one only reads");
}

absl::Status CheckNoWriteMetadata(const CallMetadata& metadata) {
  if (!Mentions(metadata, kOncePrefix) && !Mentions(metadata, kFencePrefix)) {
    return absl::OkStatus();
  }
  return Refused("only Put, DeleteRange and Txn take metadata under ", kOncePrefix, " and ",
                 kFencePrefix, "; this call would not heed it");
}

}  // namespace pontoon::kv
