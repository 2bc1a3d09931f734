#include "cmd/pontoonctl/guarded_write.h"

#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

TxnRequest RequestFor(const GuardedWrite& write) {
  TxnRequest request;
  Compare* compare = request.add_compare();
  compare->set_key(write.key);
  compare->set_target(Compare::MOD);
  compare->set_result(Compare::EQUAL);
  compare->set_mod_revision(write.seen_mod_revision);
  if (write.value.has_value()) {
    auto* put = request.add_success()->mutable_request_put();
    put->set_key(write.key);
    put->set_value(*write.value);
  } else {
    request.add_success()->mutable_request_delete_range()->set_key(write.key);
  }
  request.add_failure()->mutable_request_range()->set_key(write.key);
  return request;
}

// What the key is instead of what was seen; null: absent.
const mvccpb::KeyValue* Present(const TxnResponse& response) {
  if (response.responses_size() == 0) return nullptr;
  const auto& range = response.responses(0).response_range();
  return range.kvs_size() == 0 ? nullptr : &range.kvs(0);
}

bool IsAsWished(const GuardedWrite& write, const mvccpb::KeyValue* present) {
  if (!write.value.has_value()) return present == nullptr;
  return present != nullptr && present->value() == *write.value;
}

}  // namespace

GuardedEnd ApplyGuarded(GuardedWrite write, Backoff backoff, SendTxn send, OnRetry on_retry) {
  for (;;) {
    TxnResponse response;
    const Reply reply = send(RequestFor(write), &response);
    if (reply.outcome == Outcome::kRefused) return {GuardedEnd::Kind::kRefused, Explain(reply)};
    if (!reply.ok()) {
      on_retry(reply);
      if (!backoff.Pause()) return {GuardedEnd::Kind::kGaveUp, Explain(reply)};
      continue;
    }
    if (response.succeeded()) return {GuardedEnd::Kind::kApplied};
    const mvccpb::KeyValue* present = Present(response);
    if (IsAsWished(write, present)) return {GuardedEnd::Kind::kFoundApplied};
    const int64_t present_revision = present == nullptr ? 0 : present->mod_revision();
    // The pause bounds how often two that overwrite each other do so.
    if (write.on_conflict == GuardedWrite::OnConflict::kReport || !backoff.Pause()) {
      return {GuardedEnd::Kind::kConflict,
              absl::StrCat("somebody else ", present == nullptr ? "deleted" : "wrote",
                           " it meanwhile (mod_revision ", write.seen_mod_revision, " became ",
                           present_revision, "); left as it is")};
    }
    write.seen_mod_revision = present_revision;
  }
}

}  // namespace pontoon::ctl
