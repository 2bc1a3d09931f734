#include "kv/monitor/cluster_survey.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/blocking_counter.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::StatusRequest;
using etcdserverpb::StatusResponse;

// One question and its answer.
struct Question {
  SurveyedMember* member = nullptr;
  grpc::ClientContext context;
  StatusRequest request;
  StatusResponse response;
  grpc::Status status;
};

// gRPC's text leads from the general to the particular, which is what an operator needs.
std::string Explain(const grpc::Status& status) {
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) return "does not answer";
  const std::vector<std::string> reasons = absl::StrSplit(status.error_message(), ": ");
  if (absl::StrContains(reasons.back(), "timed out")) return "does not answer";
  return absl::StrCat("cannot be reached: ", reasons.back());
}

void TakeAnswer(Question* question) {
  SurveyedMember* const member = question->member;
  if (!question->status.ok()) {
    member->error = Explain(question->status);
  } else if (question->response.header().member_id() != member->info.id.value()) {
    member->error = "another member answers at its address";
  } else {
    member->status = std::move(question->response);
  }
}

}  // namespace

const SurveyedMember* Survey::Leader() const {
  const SurveyedMember* leader = nullptr;
  for (const SurveyedMember& member : members) {
    if (!member.status || member.status->role() != pontoon::v1::LEADER) continue;
    if (leader == nullptr || member.status->raftterm() > leader->status->raftterm()) {
      leader = &member;
    }
  }
  return leader;
}

Survey ClusterSurveyor::Take(absl::Duration timeout) {
  const raft::ReplicaStatus status = parts_.replica->Status();
  // A joint configuration that is committed leads to the next one and nowhere else.
  const Membership membership = status.membership.Target();
  Survey survey{.served_by = status.self, .members = {}, .error = {}};
  auto infos = parts_.directory->Members(*parts_.store->View(), membership);
  if (!infos.ok()) {
    survey.error = std::string(infos.status().message());
    return survey;
  }
  for (MemberInfo& info : *infos) {
    const bool is_learner = membership.IsLearner(info.id);
    survey.members.push_back(
        {.info = std::move(info), .is_learner = is_learner, .status = {}, .error = {}});
  }
  // The cluster lists them by their ids, which mean nothing to people.
  std::stable_sort(survey.members.begin(), survey.members.end(),
                   [](const SurveyedMember& a, const SurveyedMember& b) {
                     return std::tuple(a.info.name.empty(), a.info.name) <
                            std::tuple(b.info.name.empty(), b.info.name);
                   });
  for (SurveyedMember& member : survey.members) {
    if (member.info.id == status.self) parts_.own->Fill(&member.status.emplace());
  }
  AskOthers(timeout, &survey.members);
  return survey;
}

void ClusterSurveyor::AskOthers(absl::Duration timeout, std::vector<SurveyedMember>* members) {
  const auto deadline = std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout);
  std::deque<Question> questions;
  std::vector<std::shared_ptr<SurveyStubs::Stub>> stubs;
  for (SurveyedMember& member : *members) {
    if (member.status) continue;  // this one
    if (member.info.peer_urls.empty()) {
      member.error = "has no address";
      continue;
    }
    Question& question = questions.emplace_back();
    question.member = &member;
    question.context.set_deadline(deadline);
    stubs.push_back(stubs_.For(member.info.peer_urls.front()));
  }
  absl::BlockingCounter open(static_cast<int>(questions.size()));
  for (size_t i = 0; i < questions.size(); ++i) {
    Question* const question = &questions[i];
    stubs[i]->async()->Status(&question->context, &question->request, &question->response,
                              [question, &open](grpc::Status status) {
                                question->status = std::move(status);
                                open.DecrementCount();
                              });
  }
  open.Wait();
  for (Question& question : questions) TakeAnswer(&question);
}

}  // namespace pontoon::kv
