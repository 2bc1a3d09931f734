#include "kv/service/member_publisher.h"

#include <string>
#include <variant>

#include "absl/time/time.h"
#include "kv/store/kv_result.h"
#include "proto/command.pb.h"
#include "raft/env/log.h"

namespace pontoon::kv {
namespace {

constexpr absl::Duration kLookInterval = absl::Seconds(1);
constexpr absl::Duration kProposalTimeout = absl::Seconds(5);

Payload CommandFor(const MemberInfo& self) {
  storage::v1::Command command;
  storage::v1::MemberPublication& publication = *command.mutable_member_publication();
  publication.set_member_id(self.id.value());
  publication.set_name(self.name);
  for (const std::string& url : self.client_urls) publication.add_client_urls(url);
  return std::make_shared<const std::string>(command.SerializeAsString());
}

void LogAnswer(const absl::Status& answer) {
  if (answer.ok()) {
    LogInfo("the cluster knows this member's client addresses");
  } else {
    LogWarn("the cluster does not take this member's client addresses",
            {{"reason", std::string(answer.message())}});
  }
}

}  // namespace

MemberPublisher::MemberPublisher(const Parts& parts, const MemberInfo& self)
    : parts_(parts),
      command_(CommandFor(self)),
      progress_(std::make_shared<std::atomic<Progress>>(Progress::kToDo)) {}

void MemberPublisher::Start() {
  parts_.executor->Post([this] { Look(); });
}

void MemberPublisher::Look() {
  const Progress progress = progress_->load();
  if (progress == Progress::kDone) return;
  if (progress == Progress::kToDo) Propose();
  parts_.executor->PostAt(parts_.clock->Now() + kLookInterval, [this] { Look(); });
}

void MemberPublisher::Propose() {
  progress_->store(Progress::kUnderWay);
  parts_.replica->Propose(command_, parts_.clock->Now() + kProposalTimeout,
                          [progress = progress_](raft::ProposeOutcome outcome) {
                            const auto* applied = std::get_if<raft::Applied>(&outcome);
                            if (applied) {
                              LogAnswer(static_cast<const KvResult&>(*applied->result).status);
                            }
                            progress->store(applied ? Progress::kDone : Progress::kToDo);
                          });
}

}  // namespace pontoon::kv
