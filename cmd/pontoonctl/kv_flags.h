// The flags of get, put and del, and the requests that they make. The lines of a transaction are
// read with the same flags, so that both are the same language.

#ifndef PONTOON_CMD_PONTOONCTL_KV_FLAGS_H_
#define PONTOON_CMD_PONTOONCTL_KV_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cmd/pontoonctl/key_range.h"
#include "proto/rpc.pb.h"

namespace CLI {
class App;
}  // namespace CLI

namespace pontoon::ctl {

// KEY [RANGE_END] with --prefix and --from-key: the keys that a get or del is about.
class KeyRangeFlags {
 public:
  // `this` must outlive the parsing by `app`; so too for the classes below.
  void DeclareOn(CLI::App& app);

  // An error if the flags contradict each other.
  absl::StatusOr<KeyRange> Build() const;

 private:
  std::string key_;
  std::optional<std::string> end_;
  bool prefix_ = false;
  bool from_key_ = false;
};

class GetFlags {
 public:
  void DeclareOn(CLI::App& app);
  absl::StatusOr<etcdserverpb::RangeRequest> Build() const;

 private:
  KeyRangeFlags range_;
  int64_t revision_ = 0;
  int64_t limit_ = 0;
  std::optional<std::string> sort_by_;
  std::optional<std::string> order_;
  bool count_only_ = false;
  bool keys_only_ = false;
  bool serializable_ = false;
};

class PutFlags {
 public:
  void DeclareOn(CLI::App& app);

  // Whether the value is to be read from elsewhere: it was not given, or as "-".
  bool ValueIsElsewhere() const;

  // With `value` in place of a value that is elsewhere.
  absl::StatusOr<etcdserverpb::PutRequest> Build(std::string value_from_elsewhere) const;

 private:
  std::string key_;
  std::optional<std::string> value_;
  std::string lease_ = "0";
  bool prev_kv_ = false;
  bool ignore_value_ = false;
  bool ignore_lease_ = false;
};

class DelFlags {
 public:
  void DeclareOn(CLI::App& app);
  absl::StatusOr<etcdserverpb::DeleteRangeRequest> Build() const;

 private:
  KeyRangeFlags range_;
  bool prev_kv_ = false;
};

// A lease ID in hexadecimal digits, as etcdctl prints it, with or without "0x".
absl::StatusOr<int64_t> ParseLease(const std::string& text);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_KV_FLAGS_H_
