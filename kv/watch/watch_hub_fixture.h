// WatchHubTest: the hub in front of a real store, on an executor that runs when the test says so.

#ifndef PONTOON_KV_WATCH_WATCH_HUB_FIXTURE_H_
#define PONTOON_KV_WATCH_WATCH_HUB_FIXTURE_H_

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/store/store_harness.h"
#include "kv/watch/recording_outlet.h"
#include "kv/watch/watch_hub.h"
#include "proto/rpc.pb.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {

inline etcdserverpb::WatchRequest RequestOf(const std::string& text) {
  etcdserverpb::WatchRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  return request;
}
inline etcdserverpb::WatchRequest CreateOf(const std::string& text) {
  return RequestOf(absl::StrCat("create_request { ", text, " }"));
}

class WatchHubTest : public testing::Test {
 protected:
  WatchHubTest() {
    options_.progress_interval = absl::Minutes(1);
    Begin();
  }

  void Begin() {
    hub_.reset();
    auto executor = std::make_unique<ManualExecutor>(&clock_);
    executor_ = executor.get();
    hub_ = std::make_unique<WatchHub>(
        &h_.store(), &clock_, options_,
        [this](etcdserverpb::ResponseHeader* header) { header->set_raft_term(term_); },
        [this] { return has_leader_; }, std::move(executor));
    outlet_ = std::make_shared<RecordingOutlet>();
    stream_ = hub_->Open(outlet_);
  }

  void Ask(const etcdserverpb::WatchRequest& request) {
    hub_->Handle(stream_, request);
    executor_->RunDue();
  }
  void Create(const std::string& text) { Ask(CreateOf(text)); }

  // What has come by now.
  std::vector<std::string> Heard() {
    executor_->RunDue();
    return outlet_->Take();
  }

  // Lets the outlet take what it can.
  std::vector<std::string> Drain(RecordingOutlet* outlet, WatchHub::StreamId stream) {
    executor_->RunDue();
    std::vector<std::string> heard = outlet->Take();
    hub_->OnDrained(stream);
    executor_->RunDue();
    return heard;
  }

  void PutMany(int count, const std::string& key = "a") {
    for (int i = 0; i < count; ++i) h_.Put(key, absl::StrCat(i));
  }

  StoreHarness h_;
  ManualClock clock_;
  WatchHubOptions options_;
  uint64_t term_ = 1;
  bool has_leader_ = true;
  ManualExecutor* executor_ = nullptr;
  std::unique_ptr<WatchHub> hub_;
  std::shared_ptr<RecordingOutlet> outlet_;
  WatchHub::StreamId stream_ = 0;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_WATCH_WATCH_HUB_FIXTURE_H_
