// CheckKeys: the keys that a check of the cluster writes, and what becomes of them.

#ifndef PONTOON_CMD_PONTOONCTL_CHECK_KEYS_H_
#define PONTOON_CMD_PONTOONCTL_CHECK_KEYS_H_

#include <cstdint>
#include <string>
#include <utility>

#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {

// They are the check's own: there is none before, and none is left.
class CheckKeys {
 public:
  explicit CheckKeys(std::string prefix) : prefix_(std::move(prefix)) {}

  // `this` must outlive the parsing by `app`.
  void DeclareOn(CLI::App& app);

  const std::string& prefix() const { return prefix_; }

  // A failure if there are such keys already, since they may be somebody's.
  Ending CheckNone(Session& session, const Environment& environment) const;

  // Deletes the keys. If it was asked for, compacts what is before that, and has the endpoints give
  // the room back.
  Ending TidyUp(Session& session, const Environment& environment) const;

 private:
  std::string prefix_;
  bool compact_ = false;
  bool defragment_ = false;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_CHECK_KEYS_H_
