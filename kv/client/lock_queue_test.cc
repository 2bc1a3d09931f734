#include "kv/client/lock_queue.h"

#include <gtest/gtest.h>

#include <limits>

namespace pontoon {
namespace {

using etcdserverpb::TxnResponse;

constexpr char kName[] = "job";

// As etcd's clients write them: they share the queue.
TEST(LockQueue, HasTheKeysOfEtcd) {
  EXPECT_EQ(LockKey(kName, 0x7587), "job/7587");
  EXPECT_EQ(LockKey(kName, -1), "job/-1");
  EXPECT_EQ(LockKey(kName, std::numeric_limits<int64_t>::min()), "job/-8000000000000000");
}

TEST(LockQueue, TellsWhenItsPlaceWasMade) {
  TxnResponse entered;
  entered.set_succeeded(true);
  entered.mutable_header()->set_revision(17);
  EXPECT_EQ(CreateRevisionIn(entered), 17);

  TxnResponse was_there;
  was_there.mutable_header()->set_revision(20);
  was_there.add_responses()->mutable_response_range()->add_kvs()->set_create_revision(12);
  EXPECT_EQ(CreateRevisionIn(was_there), 12);
}

TEST(LockQueue, TellsWhoIsBefore) {
  const Fence place{.key = "job/2", .create_revision = 12};
  TxnResponse response;
  auto& before = *response.add_responses()->mutable_response_range();
  auto& own = *response.add_responses()->mutable_response_range();
  EXPECT_FALSE(ReadLockQueueLook(place, response).has_place);

  own.add_kvs()->set_create_revision(12);
  EXPECT_TRUE(ReadLockQueueLook(place, response).has_place);
  EXPECT_EQ(ReadLockQueueLook(place, response).before, std::nullopt);

  before.add_kvs()->set_key("job/1");
  EXPECT_EQ(ReadLockQueueLook(place, response).before, "job/1");

  own.mutable_kvs(0)->set_create_revision(15);
  EXPECT_FALSE(ReadLockQueueLook(place, response).has_place) << "it is another place";
}

}  // namespace
}  // namespace pontoon
