#include "cmd/pontoonctl/long_job.h"

#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

constexpr uint64_t kLinesMax = 20;
constexpr std::chrono::seconds kRetryLinePeriod{3};

}  // namespace

JobLog::~JobLog() {
  absl::MutexLock lock(&mutex_);
  if (notes_left_out_ > 0) progress_.Say(absl::StrCat("... and ", notes_left_out_, " more notes"));
  if (problems_left_out_ > 0) {
    progress_.Say(absl::StrCat("... and ", problems_left_out_, " more failures"));
  }
}

void JobLog::Note(absl::string_view line) {
  absl::MutexLock lock(&mutex_);
  SayBounded(line, notes_, notes_left_out_);
}

void JobLog::Problem(absl::string_view line) {
  absl::MutexLock lock(&mutex_);
  SayBounded(line, problems_, problems_left_out_);
}

void JobLog::SayBounded(absl::string_view line, uint64_t& said, uint64_t& left_out) {
  if (said == kLinesMax) {
    ++left_out;
    return;
  }
  ++said;
  progress_.Say(line);
}

void JobLog::Retry(absl::string_view why) {
  absl::MutexLock lock(&mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now - retry_said_at_ < kRetryLinePeriod) return;
  retry_said_at_ = now;
  progress_.Say(absl::StrCat("trying again: ", why));
}

RangePager::Fetch PageFetcher(Session& session, Patience patience, JobLog& log) {
  return [&session, patience, &log](const etcdserverpb::RangeRequest& request,
                                    etcdserverpb::RangeResponse* response) {
    Backoff backoff(Deadline::After(patience.retry_for));
    for (;;) {
      const Reply reply = session.Read(Deadline::After(patience.timeout),
                                       [&](Server& server, grpc::ClientContext* context) {
                                         return server.kv().Range(context, request, response);
                                       });
      if (reply.ok() || reply.outcome == Outcome::kRefused || !backoff.Pause()) return reply;
      log.Retry(Explain(reply));
    }
  };
}

}  // namespace pontoon::ctl
