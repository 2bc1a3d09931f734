#include "kv/lock/queue.h"

#include <limits>

#include "gtest/gtest.h"

namespace pontoon::kv {
namespace {

// The client library of etcd makes the same keys: both can be used for one lock.
TEST(QueueTest, KeysAreThoseOfEtcd) {
  EXPECT_EQ(QueueKey("name", LeaseId(0x694d7c5a3b2f1e01)), "name/694d7c5a3b2f1e01");
  EXPECT_EQ(QueueKey("name", LeaseId(0xa)), "name/a");
  EXPECT_EQ(QueueKey("", LeaseId(1)), "/1");
  EXPECT_EQ(QueueKey("a/b", LeaseId(1)), "a/b/1");
  EXPECT_EQ(QueueKey("name", LeaseId(-0x7b)), "name/-7b");
  EXPECT_EQ(QueueKey("name", LeaseId(std::numeric_limits<int64_t>::min())),
            "name/-8000000000000000");
}

}  // namespace
}  // namespace pontoon::kv
