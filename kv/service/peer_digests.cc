#include "kv/service/peer_digests.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/synchronization/blocking_counter.h"

namespace pontoon::kv {
namespace {

using pontoon::peer::v1::DigestsRequest;
using pontoon::peer::v1::DigestsResponse;

// One question and its answer.
struct Question {
  NodeId member;
  std::shared_ptr<SurveyStubs::Stub> stub;
  grpc::ClientContext context;
  DigestsRequest request;
  DigestsResponse response;
  grpc::Status status;
};

DigestReport ToReport(const DigestsResponse& response) {
  DigestReport report;
  for (const auto& digest : response.digests()) {
    report.emplace(LogIndex(digest.index()), StateDigest(digest.value()));
  }
  return report;
}

}  // namespace

std::map<NodeId, DigestReport> PeerDigests::Ask(const PeerUrls& members, DivergenceWatch::Tone tone,
                                                absl::Duration timeout) {
  const auto deadline = std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout);
  std::deque<Question> questions;
  for (const auto& [member, urls] : members) {
    if (urls.empty()) continue;
    Question& question = questions.emplace_back();
    question.member = member;
    question.stub = stubs_.For(urls.front());
    question.context.set_deadline(deadline);
    question.request.set_is_suspicion(tone == DivergenceWatch::Tone::kSuspicion);
  }
  absl::BlockingCounter open(static_cast<int>(questions.size()));
  for (Question& question : questions) {
    question.stub->async()->Digests(&question.context, &question.request, &question.response,
                                    [&question, &open](grpc::Status status) {
                                      question.status = std::move(status);
                                      open.DecrementCount();
                                    });
  }
  open.Wait();
  std::map<NodeId, DigestReport> reports;
  for (const Question& question : questions) {
    if (!question.status.ok()) continue;
    if (question.response.member_id() != question.member.value()) continue;
    reports.emplace(question.member, ToReport(question.response));
  }
  return reports;
}

}  // namespace pontoon::kv
