#include "tests/differential/watch_stream.h"

#include <utility>

namespace pontoon::differential {

using etcdserverpb::WatchResponse;

WatchStream::WatchStream(etcdserverpb::Watch::Stub* stub)
    : stream_(stub->Watch(&context_)), reader_([this] { Read(); }) {}

WatchStream::~WatchStream() {
  context_.TryCancel();
  reader_.join();
}

void WatchStream::Read() {
  for (WatchResponse response; stream_->Read(&response);) {
    absl::MutexLock lock(&mutex_);
    arrived_.push_back(std::move(response));
  }
  const grpc::Status status = stream_->Finish();
  absl::MutexLock lock(&mutex_);
  end_status_ = status;
  ended_ = true;
}

WatchStream::Result WatchStream::TakeUntil(const std::function<bool(const WatchResponse&)>& take) {
  const auto news = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !arrived_.empty() || ended_;
  };
  while (true) {
    WatchResponse response;
    {
      absl::MutexLock lock(&mutex_);
      if (!mutex_.AwaitWithTimeout(absl::Condition(&news), kPatience)) return Result::kNothingCame;
      if (arrived_.empty()) return Result::kEnded;
      response = std::move(arrived_.front());
      arrived_.pop_front();
    }
    if (take(response)) return Result::kFound;
  }
}

grpc::Status WatchStream::EndStatus() {
  absl::MutexLock lock(&mutex_);
  return end_status_;
}

}  // namespace pontoon::differential
