// The flags that say how fresh a read is to be.

#ifndef PONTOON_CMD_PONTOONCTL_READ_FLAGS_H_
#define PONTOON_CMD_PONTOONCTL_READ_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "proto/rpc.pb.h"

namespace CLI {
class App;
}  // namespace CLI

namespace pontoon::ctl {

// --consistency, --max-staleness and --min-revision. Servers that are not Pontoon know nothing of
// them, but for `follower`, which is etcd's serializable.
class ReadFlags {
 public:
  // `this` must outlive the parsing by `app`.
  void DeclareOn(CLI::App& app);

  // An error if the flags contradict each other, or `request`. A transaction that writes is given
  // them like one that only reads: the server refuses it then.
  absl::Status AddTo(etcdserverpb::RangeRequest* request) const;
  absl::Status AddTo(etcdserverpb::TxnRequest* request) const;

 private:
  template <typename Request>
  absl::Status AddOptionsTo(Request* request) const;

  std::optional<std::string> consistency_;
  std::optional<std::string> max_staleness_;
  int64_t min_revision_ = 0;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_READ_FLAGS_H_
