// The model of the whole store, and that the real store does the same.

#include "tests/sim/state_model.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "kv/store/kv_store.h"
#include "proto/rpc.pb.h"
#include "raft/env/testing/manual_time.h"
#include "tests/sim/dice.h"
#include "tests/sim/store.h"

namespace pontoon::sim {
namespace {

constexpr Term kTerm{3};
constexpr LeaseId kLease{5};

Operation Of(OperationKind kind) {
  Operation operation;
  operation.id = OperationId(1);
  operation.kind = kind;
  return operation;
}

Operation Grant(LeaseId lease, int64_t ttl_seconds) {
  Operation operation = Of(OperationKind::kGrant);
  operation.lease = lease;
  operation.ttl_seconds = ttl_seconds;
  return operation;
}

Operation Put(uint32_t key, LeaseId lease) {
  Operation operation = Of(OperationKind::kPut);
  operation.key = KeyId(key);
  operation.value = Value(1);
  operation.lease = lease;
  return operation;
}

Operation Revoke(Term leader_term) {
  Operation operation = Of(OperationKind::kRevoke);
  operation.lease = kLease;
  operation.leader_term = leader_term;
  return operation;
}

class StateModelTest : public testing::Test {
 protected:
  StateModelTest() { model_.Apply(Grant(kLease, 10), kTerm); }

  StateModel model_;
};

TEST_F(StateModelTest, ALeaseTakesItsKeysAlongInOneRevision) {
  for (const uint32_t key : {40, 33, 34}) model_.Apply(Put(key, kLease), kTerm);
  model_.Apply(Put(34, kNoLease), kTerm);
  const int64_t before = model_.revision();
  const StateModel::Applied applied = model_.Apply(Revoke(Term()), kTerm);
  EXPECT_EQ(applied.keys, (std::vector<KeyId>{KeyId(33), KeyId(40)}));
  EXPECT_EQ(applied.effect, (Effect{.changed = true, .revision = before + 1}));
  EXPECT_EQ(model_.revision(), before + 1);
  EXPECT_EQ(model_.At(KeyId(40)).value, kAbsent);
  EXPECT_NE(model_.At(KeyId(34)).value, kAbsent);
  EXPECT_TRUE(model_.leases().empty());
}

TEST_F(StateModelTest, ALeaseWithoutKeysMakesNoRevision) {
  const int64_t before = model_.revision();
  EXPECT_TRUE(model_.Apply(Revoke(Term()), kTerm).effect.changed);
  EXPECT_EQ(model_.revision(), before);
}

TEST_F(StateModelTest, AFormerLeaderEndsNothing) {
  EXPECT_EQ(model_.Apply(Revoke(Term(2)), kTerm).effect, kNoEffect);
  Operation checkpoint = Of(OperationKind::kCheckpoint);
  checkpoint.leader_term = Term(2);
  checkpoint.checkpoints = {{kLease, 4}};
  model_.Apply(checkpoint, kTerm);
  EXPECT_EQ(model_.leases().at(kLease).LeftSeconds(), 10);
  checkpoint.leader_term = kTerm;
  model_.Apply(checkpoint, kTerm);
  EXPECT_EQ(model_.leases().at(kLease).LeftSeconds(), 4);
  EXPECT_TRUE(model_.Apply(Revoke(kTerm), kTerm).effect.changed);
}

TEST_F(StateModelTest, AKeyHangsOnNoLeaseThatIsNotThere) {
  EXPECT_EQ(model_.Apply(Put(33, LeaseId(6)), kTerm).effect, kNoEffect);
  EXPECT_EQ(model_.At(KeyId(33)).value, kAbsent);
}

TEST_F(StateModelTest, CompactionsGoForwardUpToThePresent) {
  for (int i = 0; i < 5; ++i) model_.Apply(Put(1, kNoLease), kTerm);
  Operation compaction = Of(OperationKind::kCompact);
  const auto compacts_to = [&](int64_t revision) {
    compaction.revision = revision;
    return model_.Apply(compaction, kTerm).effect.changed;
  };
  EXPECT_FALSE(compacts_to(7));
  EXPECT_TRUE(compacts_to(5));
  EXPECT_FALSE(compacts_to(5));
  EXPECT_TRUE(compacts_to(6));
  EXPECT_EQ(model_.compacted(), 6);
}

// Random operations on the real store and on the model: both do the same, whatever the scrubber has
// removed.
class RealStoreTest : public testing::TestWithParam<uint64_t> {
 protected:
  void Apply(uint64_t index) {
    const Operation operation = Draw(index);
    const Term term(dice_.OneIn(5) ? 4 : 3);
    ApplyItem item{.entry = {.index = LogIndex(index),
                             .term = term,
                             .kind = EntryKind::kCommand,
                             .request = {},
                             .payload = store_->Encode(operation)},
                   .wants_result = true,
                   .result = nullptr};
    ASSERT_TRUE(machine_->Apply({&item, 1}).ok());
    const StateModel::Applied expected = model_.Apply(operation, term);
    ASSERT_EQ(store_->EffectOf(*item.result), expected.effect) << index;
    ASSERT_EQ(store_->Mark()->revision, model_.revision()) << index;
    for (const KeyId key : expected.keys) {
      ASSERT_EQ(ReadAt(key, model_.revision()), model_.At(key).value) << index;
    }
  }

  Operation Draw(uint64_t index) {
    Operation operation = Of(static_cast<OperationKind>(dice_.Below(8)));
    if (operation.kind == OperationKind::kRead) operation.kind = OperationKind::kPut;
    operation.id = OperationId(index);
    operation.key = KeyId(static_cast<uint32_t>(dice_.Between(32, 40)));
    operation.value = Value(index);
    operation.expected = dice_.OneIn(2) ? kAbsent : model_.At(operation.key).value;
    operation.lease = LeaseId(static_cast<int64_t>(dice_.Between(1, 6)));
    const bool is_put = operation.kind == OperationKind::kPut;
    if (operation.kind == OperationKind::kCompareAndSet || (is_put && dice_.OneIn(3))) {
      operation.lease = kNoLease;
    }
    operation.ttl_seconds = static_cast<int64_t>(dice_.Between(1, 100));
    operation.revision = model_.revision() + 1 - static_cast<int64_t>(dice_.Below(20));
    if (operation.kind == OperationKind::kCheckpoint || dice_.OneIn(2)) {
      operation.leader_term = Term(3);
    }
    operation.checkpoints = {{operation.lease, static_cast<int64_t>(dice_.Below(100))}};
    return operation;
  }

  Value ReadAt(KeyId key, int64_t revision) {
    etcdserverpb::RangeRequest request;
    request.set_key(NameOf(key));
    request.set_revision(revision);
    etcdserverpb::RangeResponse response;
    const absl::Status read = store_->kv_store()->View()->Range(request, &response);
    EXPECT_TRUE(read.ok()) << read;
    return response.kvs().empty() ? kAbsent : ValueOf(response.kvs(0).value());
  }

  void Open() {
    auto scrubber = std::make_unique<ManualExecutor>(&clock_);
    scrubber_ = scrubber.get();
    machine_ = store_->Open(std::move(scrubber));
  }

  Dice dice_{GetParam()};
  ManualClock clock_;
  const std::unique_ptr<SimStore> store_ = NewLevelDbStore();
  ManualExecutor* scrubber_ = nullptr;
  StateMachine* machine_ = nullptr;
  StateModel model_;
};

TEST_P(RealStoreTest, DoesTheSame) {
  Open();
  for (uint64_t index = 1; index <= 500; ++index) {
    ASSERT_NO_FATAL_FAILURE(Apply(index));
    if (dice_.OneIn(10)) scrubber_->RunDue();
    if (dice_.OneIn(50)) {
      store_->Close();
      Open();
    }
    ASSERT_TRUE(store_->Contents() == model_) << store_->Contents().Describe() << "\n"
                                              << model_.Describe();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RealStoreTest, testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace pontoon::sim
