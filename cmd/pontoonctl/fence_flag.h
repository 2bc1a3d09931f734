// The flag that puts a write behind the lock under which the command runs.

#ifndef PONTOON_CMD_PONTOONCTL_FENCE_FLAG_H_
#define PONTOON_CMD_PONTOONCTL_FENCE_FLAG_H_

#include "absl/status/status.h"
#include "proto/pontoon.pb.h"

namespace CLI {
class App;
}  // namespace CLI

namespace pontoon::ctl {

// --fence: for commands that `pontoonctl lock NAME -- CMD` runs, which tells them of the lock in
// the variables PONTOON_LOCK_KEY and PONTOON_LOCK_TOKEN. Servers that are not Pontoon know nothing
// of fences, and write all the same.
class FenceFlag {
 public:
  // `this` must outlive the parsing by `app`.
  void DeclareOn(CLI::App& app);

  // Puts `request`, a write, behind the fence if the flag is there. An error if it is, and the
  // command does not run under a lock.
  template <typename Request>
  absl::Status AddTo(Request* request) const {
    return wanted_ ? Fill(request->mutable_write_options()->mutable_fence()) : absl::OkStatus();
  }

 private:
  static absl::Status Fill(v1::Fence* fence);

  bool wanted_ = false;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_FENCE_FLAG_H_
