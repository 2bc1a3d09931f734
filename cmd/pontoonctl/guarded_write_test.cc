#include "cmd/pontoonctl/guarded_write.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace pontoon::ctl {
namespace {

using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using Kind = GuardedEnd::Kind;

// One key of a store behind a bad network: each sending meets the next of `faults`, if any is left.
class FlakyStore {
 public:
  enum class Fault { kNone, kRequestLost, kAnswerLost, kTooLarge };

  std::optional<std::string> value;
  int64_t mod_revision = 0;
  int64_t revision = 1;
  int puts = 0;
  std::vector<Fault> faults;
  // Runs after the store has taken a request.
  std::function<void()> afterwards = [] {};

  void Set(std::optional<std::string> new_value) {
    value = std::move(new_value);
    ++revision;
    mod_revision = value.has_value() ? revision : 0;
  }

  Reply Send(const TxnRequest& request, TxnResponse* response) {
    Fault fault = Fault::kNone;
    if (!faults.empty()) {
      fault = faults.front();
      faults.erase(faults.begin());
    }
    if (fault == Fault::kTooLarge) {
      return Failure(Outcome::kRefused, grpc::StatusCode::INVALID_ARGUMENT);
    }
    if (fault != Fault::kRequestLost) Apply(request, response);
    afterwards();
    if (fault != Fault::kNone) return Failure(Outcome::kUnknown, grpc::StatusCode::UNAVAILABLE);
    return {};
  }

 private:
  static Reply Failure(Outcome outcome, grpc::StatusCode code) {
    return {outcome, grpc::Status(code, "no luck")};
  }

  void Apply(const TxnRequest& request, TxnResponse* response) {
    response->set_succeeded(request.compare(0).mod_revision() == mod_revision);
    if (response->succeeded()) {
      ++puts;
      const auto& operation = request.success(0);
      Set(operation.has_request_put() ? std::optional(operation.request_put().value())
                                      : std::nullopt);
      return;
    }
    auto* range = response->add_responses()->mutable_response_range();
    if (!value.has_value()) return;
    range->add_kvs()->set_value(*value);
    range->mutable_kvs(0)->set_mod_revision(mod_revision);
  }
};

class GuardedWriteTest : public ::testing::Test {
 protected:
  using Fault = FlakyStore::Fault;

  GuardedEnd Apply(GuardedWrite write, Deadline deadline = Deadline::After(absl::Minutes(1))) {
    write.key = "k";
    const Backoff backoff(deadline, {absl::Nanoseconds(1), absl::Nanoseconds(1)});
    return ApplyGuarded(
        write, backoff,
        [this](const TxnRequest& request, TxnResponse* response) {
          return store_.Send(request, response);
        },
        [this](const Reply&) { ++retries_; });
  }

  GuardedWrite Ours() const { return {.value = "ours", .seen_mod_revision = store_.mod_revision}; }

  FlakyStore store_;
  int retries_ = 0;
};

TEST_F(GuardedWriteTest, WritesAnAbsentKeyAndAnUnchangedOne) {
  EXPECT_EQ(Apply(Ours()).kind, Kind::kApplied);
  EXPECT_EQ(store_.value, "ours");
  store_.Set("old");
  EXPECT_EQ(Apply(Ours()).kind, Kind::kApplied);
  EXPECT_EQ(store_.value, "ours");
}

TEST_F(GuardedWriteTest, ALostRequestIsSentAgain) {
  store_.faults = {Fault::kRequestLost, Fault::kRequestLost};
  EXPECT_EQ(Apply(Ours()).kind, Kind::kApplied);
  EXPECT_EQ(store_.puts, 1);
  EXPECT_EQ(retries_, 2);
}

TEST_F(GuardedWriteTest, ALostAnswerDoesNotWriteTwice) {
  store_.faults = {Fault::kAnswerLost, Fault::kAnswerLost, Fault::kRequestLost};
  EXPECT_EQ(Apply(Ours()).kind, Kind::kFoundApplied);
  EXPECT_EQ(store_.puts, 1);
}

TEST_F(GuardedWriteTest, WhatOthersWroteAfterALostAnswerSurvives) {
  store_.faults = {Fault::kAnswerLost};
  store_.afterwards = [this] {
    store_.Set("theirs");
    store_.afterwards = [] {};
  };
  EXPECT_EQ(Apply(Ours()).kind, Kind::kConflict);
  EXPECT_EQ(store_.value, "theirs");
}

TEST_F(GuardedWriteTest, AConflictIsReportedOrOverwritten) {
  GuardedWrite write = Ours();
  store_.Set("theirs");
  EXPECT_EQ(Apply(write).kind, Kind::kConflict);
  EXPECT_EQ(store_.value, "theirs");
  write.on_conflict = GuardedWrite::OnConflict::kOverwrite;
  EXPECT_EQ(Apply(write).kind, Kind::kApplied);
  EXPECT_EQ(store_.value, "ours");
}

TEST_F(GuardedWriteTest, DeletesWhatWasSeenAndNothingElse) {
  store_.Set("old");
  GuardedWrite write{.seen_mod_revision = store_.mod_revision};
  store_.faults = {Fault::kAnswerLost};
  EXPECT_EQ(Apply(write).kind, Kind::kFoundApplied);
  EXPECT_EQ(store_.value, std::nullopt);
  store_.Set("new");
  EXPECT_EQ(Apply(write).kind, Kind::kConflict);
  EXPECT_EQ(store_.value, "new");
}

TEST_F(GuardedWriteTest, ARefusalIsFinal) {
  store_.faults = {Fault::kTooLarge};
  const GuardedEnd end = Apply(Ours());
  EXPECT_EQ(end.kind, Kind::kRefused);
  EXPECT_EQ(end.reason, "no luck (INVALID_ARGUMENT)");
  EXPECT_EQ(retries_, 0);
}

TEST_F(GuardedWriteTest, GivesUpAtTheDeadline) {
  store_.faults = {Fault::kRequestLost};
  EXPECT_EQ(Apply(Ours(), Deadline::After(absl::ZeroDuration())).kind, Kind::kGaveUp);
}

}  // namespace
}  // namespace pontoon::ctl
