#include "cmd/pontoonctl/kv_flags.h"

#include <CLI/CLI.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::PutRequest;
using etcdserverpb::RangeRequest;

RangeRequest::SortTarget SortTargetOf(const std::string& name) {
  if (name == "version") return RangeRequest::VERSION;
  if (name == "create") return RangeRequest::CREATE;
  if (name == "modify") return RangeRequest::MOD;
  if (name == "value") return RangeRequest::VALUE;
  return RangeRequest::KEY;
}

}  // namespace

absl::StatusOr<int64_t> ParseLease(const std::string& text) {
  int64_t lease = 0;
  if (!absl::SimpleHexAtoi(text, &lease) || lease < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("bad lease ID \"", text, "\": give it in hexadecimal digits"));
  }
  return lease;
}

void KeyRangeFlags::DeclareOn(CLI::App& app) {
  app.add_option("key", key_, "The key, or the first of a range")->required();
  app.add_option("range_end", end_, "The end of the range, not included");
  app.add_flag("--prefix", prefix_, "All keys that begin with KEY");
  app.add_flag("--from-key", from_key_, "KEY and all keys after it, in byte order");
}

absl::StatusOr<KeyRange> KeyRangeFlags::Build() const {
  if (prefix_ + from_key_ + end_.has_value() > 1) {
    return absl::InvalidArgumentError("only one of RANGE_END, --prefix and --from-key can be used");
  }
  if (prefix_) return KeyRange::Prefix(key_);
  if (from_key_) return KeyRange::From(key_);
  if (key_.empty()) {
    return absl::InvalidArgumentError("the key is empty; with --prefix that means all keys");
  }
  return KeyRange{key_, end_.value_or("")};
}

void GetFlags::DeclareOn(CLI::App& app) {
  range_.DeclareOn(app);
  app.add_option("--rev", revision_, "Read the store as it was at this revision");
  app.add_option("--limit", limit_, "Return at most so many keys; 0: all")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--sort-by", sort_by_, "key, version, create, modify or value")
      ->check(CLI::IsMember({"key", "version", "create", "modify", "value"}));
  app.add_option("--order", order_, "ascend or descend")
      ->check(CLI::IsMember({"ascend", "descend"}));
  app.add_flag("--count-only", count_only_, "Only count the keys");
  app.add_flag("--keys-only", keys_only_, "Leave out the values");
  app.add_flag("--serializable", serializable_,
               "Let the server answer alone, from what it has; this may be stale");
}

absl::StatusOr<RangeRequest> GetFlags::Build() const {
  absl::StatusOr<KeyRange> range = range_.Build();
  if (!range.ok()) return range.status();
  RangeRequest request;
  request.set_key(range->key);
  request.set_range_end(range->end);
  request.set_revision(revision_);
  request.set_limit(limit_);
  if (sort_by_.has_value() || order_.has_value()) {
    // Never NONE: with that, a server applies the limit before it sorts.
    request.set_sort_order(order_ == "descend" ? RangeRequest::DESCEND : RangeRequest::ASCEND);
    request.set_sort_target(SortTargetOf(sort_by_.value_or("key")));
  }
  request.set_count_only(count_only_);
  request.set_keys_only(keys_only_);
  request.set_serializable(serializable_);
  return request;
}

void PutFlags::DeclareOn(CLI::App& app) {
  app.add_option("key", key_, "The key")->required();
  app.add_option("value", value_, "The value; absent or \"-\": all of standard input");
  app.add_option("--lease", lease_, "Attach the key to this lease (hexadecimal ID)");
  app.add_flag("--prev-kv", prev_kv_, "Print what the key was before");
  app.add_flag("--ignore-value", ignore_value_, "Keep the value that the key has");
  app.add_flag("--ignore-lease", ignore_lease_, "Keep the lease that the key has");
}

bool PutFlags::ValueIsElsewhere() const { return !ignore_value_ && value_.value_or("-") == "-"; }

absl::StatusOr<PutRequest> PutFlags::Build(std::string value_from_elsewhere) const {
  if (key_.empty()) return absl::InvalidArgumentError("the key is empty");
  if (ignore_value_ && value_.has_value()) {
    return absl::InvalidArgumentError("--ignore-value keeps the old value: give no new one");
  }
  const absl::StatusOr<int64_t> lease = ParseLease(lease_);
  if (!lease.ok()) return lease.status();
  if (ignore_lease_ && *lease != 0) {
    return absl::InvalidArgumentError("--ignore-lease keeps the old lease: give no --lease");
  }
  PutRequest request;
  request.set_key(key_);
  request.set_value(ValueIsElsewhere() ? std::move(value_from_elsewhere) : value_.value_or(""));
  request.set_lease(*lease);
  request.set_prev_kv(prev_kv_);
  request.set_ignore_value(ignore_value_);
  request.set_ignore_lease(ignore_lease_);
  return request;
}

void DelFlags::DeclareOn(CLI::App& app) {
  range_.DeclareOn(app);
  app.add_flag("--prev-kv", prev_kv_, "Print what was deleted");
}

absl::StatusOr<DeleteRangeRequest> DelFlags::Build() const {
  absl::StatusOr<KeyRange> range = range_.Build();
  if (!range.ok()) return range.status();
  DeleteRangeRequest request;
  request.set_key(range->key);
  request.set_range_end(range->end);
  request.set_prev_kv(prev_kv_);
  return request;
}

}  // namespace pontoon::ctl
