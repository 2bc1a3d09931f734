#include "cmd/pontoonctl/bench_worker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "raft/base/check.h"

namespace pontoon::ctl {
namespace {

// Values begin at a random place of so many bytes.
constexpr size_t kNoisePlaces = 1 << 16;

gpr_timespec ToGpr(BenchSchedule::Clock::time_point at) {
  return Deadline::After(absl::FromChrono(at - BenchSchedule::Clock::now())).ToGpr();
}

}  // namespace

std::string BenchKey(absl::string_view prefix, uint64_t number, int size_bytes) {
  const std::string digits = std::to_string(number);
  const size_t taken = prefix.size() + digits.size();
  const size_t zeros = std::max<size_t>(size_bytes, taken) - taken;
  return absl::StrCat(prefix, std::string(zeros, '0'), digits);
}

int BenchKeySizeMin(uint64_t key_count) { return BenchKey(kBenchPrefix, key_count - 1, 0).size(); }

BenchContent::BenchContent(const BenchOptions& options, uint64_t seed)
    : options_(options), prng_(seed) {
  noise_.resize(kNoisePlaces + options.value_size_bytes);
  for (char& byte : noise_) byte = static_cast<char>(prng_.Next());
}

std::string BenchContent::KeyFor(uint64_t operation_index) {
  const uint64_t number = options_.key_order == BenchOptions::KeyOrder::kRandom
                              ? prng_.Below(options_.key_count)
                              : operation_index % options_.key_count;
  return BenchKey(options_.key_prefix, number, options_.key_size_bytes);
}

std::string BenchContent::NextValue() {
  return noise_.substr(prng_.Below(kNoisePlaces), options_.value_size_bytes);
}

class BenchCall {
 public:
  explicit BenchCall(Server* server) : server_(*server) {}
  virtual ~BenchCall() = default;

  void Start(const BenchSchedule::Operation& operation, BenchContent& content,
             absl::Duration timeout, grpc::CompletionQueue& queue) {
    context_.emplace();
    // A benchmark goes through a change of leader as its users would: it waits to connect.
    context_->set_wait_for_ready(true);
    context_->set_deadline(Deadline::After(timeout).ToGpr());
    counts_from_ = operation.due.value_or(BenchSchedule::Clock::now());
    Send(operation.index, content, queue);
  }

  // Counts the answer, which has come.
  void Count(BenchResult& result, SuccessGaps& gaps) {
    if (!status_.ok()) {
      ++result.errors[status_.error_code()];
      return;
    }
    const BenchSchedule::Clock::time_point now = BenchSchedule::Clock::now();
    gaps.OnSuccess(now);
    result.latency.Record(absl::FromChrono(now - counts_from_));
    if (!Found()) ++result.not_found;
  }

 protected:
  virtual void Send(uint64_t index, BenchContent& content, grpc::CompletionQueue& queue) = 0;
  virtual bool Found() const = 0;

  Server& server_;
  std::optional<grpc::ClientContext> context_;
  grpc::Status status_;

 private:
  BenchSchedule::Clock::time_point counts_from_;
};

namespace {

class PutCall : public BenchCall {
 public:
  using BenchCall::BenchCall;

 private:
  void Send(uint64_t index, BenchContent& content, grpc::CompletionQueue& queue) override {
    request_.set_key(content.KeyFor(index));
    request_.set_value(content.NextValue());
    reader_ = server_.kv().AsyncPut(&*context_, request_, &queue);
    reader_->Finish(&response_, &status_, static_cast<BenchCall*>(this));
  }

  bool Found() const override { return true; }

  etcdserverpb::PutRequest request_;
  etcdserverpb::PutResponse response_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<etcdserverpb::PutResponse>> reader_;
};

class GetCall : public BenchCall {
 public:
  GetCall(Server* server, const etcdserverpb::RangeRequest& request)
      : BenchCall(server), request_(request) {}

 private:
  void Send(uint64_t index, BenchContent& content, grpc::CompletionQueue& queue) override {
    request_.set_key(content.KeyFor(index));
    reader_ = server_.kv().AsyncRange(&*context_, request_, &queue);
    reader_->Finish(&response_, &status_, static_cast<BenchCall*>(this));
  }

  bool Found() const override { return response_.kvs_size() > 0; }

  etcdserverpb::RangeRequest request_;
  etcdserverpb::RangeResponse response_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<etcdserverpb::RangeResponse>> reader_;
};

}  // namespace

BenchWorker::BenchWorker(const BenchOptions& options, const Share& share)
    : options_(options), content_(options, share.seed) {
  CHECK(!share.servers.empty());
  for (int i = 0; i < share.clients; ++i) {
    Server* server = share.servers[i % share.servers.size()];
    if (options.operation == BenchOptions::Operation::kPut) {
      calls_.push_back(std::make_unique<PutCall>(server));
    } else {
      calls_.push_back(std::make_unique<GetCall>(server, options.get));
    }
    idle_.push_back(calls_.back().get());
  }
}

BenchWorker::~BenchWorker() {
  CHECK_EQ(idle_.size(), calls_.size()) << "all requests must be answered";
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

void BenchWorker::Run(BenchSchedule& schedule, BenchResult& result, SuccessGaps& gaps) {
  schedule_is_over_ = false;
  for (;;) {
    SendWhatIsDue(schedule);
    if (schedule_is_over_ && idle_.size() == calls_.size()) return;
    AwaitAnswer(result, gaps);
  }
}

void BenchWorker::SendWhatIsDue(BenchSchedule& schedule) {
  while (!idle_.empty() && !schedule_is_over_) {
    const Clock::time_point now = Clock::now();
    if (!next_.has_value()) next_ = schedule.Next(now);
    if (!next_.has_value()) {
      schedule_is_over_ = true;
      return;
    }
    if (next_->due.has_value() && *next_->due > now) return;
    BenchCall* call = idle_.back();
    idle_.pop_back();
    call->Start(*next_, content_, options_.timeout, queue_);
    next_.reset();
  }
}

void BenchWorker::AwaitAnswer(BenchResult& result, SuccessGaps& gaps) {
  const bool an_operation_waits_for_its_time = !idle_.empty() && next_.has_value();
  const gpr_timespec until =
      an_operation_waits_for_its_time ? ToGpr(*next_->due) : gpr_inf_future(GPR_CLOCK_MONOTONIC);
  void* tag = nullptr;
  bool ok = false;
  if (queue_.AsyncNext(&tag, &ok, until) != grpc::CompletionQueue::GOT_EVENT) return;
  auto* call = static_cast<BenchCall*>(tag);
  call->Count(result, gaps);
  idle_.push_back(call);
}

}  // namespace pontoon::ctl
