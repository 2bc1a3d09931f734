#include "kv/maintenance/auto_compactor.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/time/time.h"
#include "kv/store/kv_result.h"
#include "proto/command.pb.h"
#include "raft/env/log.h"

namespace pontoon::kv {
namespace {

constexpr absl::Duration kProposalTimeout = absl::Seconds(5);

void LogOutcome(Revision revision, const raft::ProposeOutcome& outcome) {
  const auto* applied = std::get_if<raft::Applied>(&outcome);
  if (applied == nullptr) {
    LogWarn("could not compact by itself, and tries again", {{"revision", revision}});
    return;
  }
  const absl::Status& status = static_cast<const KvResult&>(*applied->result).status;
  if (status.ok()) {
    LogInfo("compacted by itself", {{"revision", revision}});
  } else {
    LogWarn("could not compact by itself",
            {{"revision", revision}, {"reason", std::string(status.message())}});
  }
}

}  // namespace

AutoCompactor::AutoCompactor(const Parts& parts, std::unique_ptr<CompactionPolicy> policy)
    : parts_(parts), policy_(std::move(policy)) {}

void AutoCompactor::Start() {
  parts_.executor->Post([this] { Look(); });
}

void AutoCompactor::Look() {
  const std::shared_ptr<const ReadView> view = parts_.store->View();
  const Instant now = parts_.clock->Now();
  const std::optional<Revision> revision = policy_->Look(now, view->revision(), view->compacted());
  if (revision.has_value()) {
    const raft::ReplicaStatus status = parts_.replica->Status();
    if (status.leader == status.self) Propose(*revision);
  }
  parts_.executor->PostAt(now + policy_->look_interval(), [this] { Look(); });
}

void AutoCompactor::Propose(Revision revision) {
  storage::v1::Command command;
  command.mutable_compaction()->set_revision(revision.value());
  parts_.replica->Propose(
      std::make_shared<const std::string>(command.SerializeAsString()),
      parts_.clock->Now() + kProposalTimeout,
      [revision](raft::ProposeOutcome outcome) { LogOutcome(revision, outcome); });
}

}  // namespace pontoon::kv
