#include "cmd/pontoonctl/range_pager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_format.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;

// A store that answers ranges, and gets a new revision with every page.
class FakeStore {
 public:
  std::map<std::string, std::string> keys;
  std::vector<RangeRequest> requests;

  Reply Range(const RangeRequest& request, RangeResponse* response) {
    requests.push_back(request);
    response->mutable_header()->set_revision(100 + requests.size());
    for (auto it = keys.lower_bound(request.key());
         it != keys.end() && it->first < request.range_end(); ++it) {
      if (response->kvs_size() == request.limit()) {
        response->set_more(true);
        break;
      }
      mvccpb::KeyValue* kv = response->add_kvs();
      kv->set_key(it->first);
      kv->set_value(it->second);
    }
    response->set_count(keys.size());
    return {};
  }

  RangePager::Fetch Fetch() {
    return [this](const RangeRequest& request, RangeResponse* response) {
      return Range(request, response);
    };
  }
  RangePager NewPager() { return RangePager(KeyRange::Prefix("k"), Fetch()); }
};

TEST(RangePager, ReadsAllKeysAtTheRevisionOfTheFirstPage) {
  FakeStore store;
  for (int i = 0; i < 1000; ++i) store.keys[absl::StrFormat("k%04d", i)] = "v";
  RangePager pager = store.NewPager();
  RangeResponse page;
  std::map<std::string, std::string> seen;
  for (;;) {
    ASSERT_TRUE(pager.Next(&page).ok());
    if (page.kvs().empty()) break;
    for (const auto& kv : page.kvs()) EXPECT_TRUE(seen.emplace(kv.key(), kv.value()).second);
  }
  EXPECT_EQ(seen, store.keys);
  EXPECT_EQ(pager.count(), 1000);
  EXPECT_EQ(pager.revision(), 101);
  EXPECT_EQ(store.requests[0].revision(), 0);
  for (size_t i = 1; i < store.requests.size(); ++i) EXPECT_EQ(store.requests[i].revision(), 101);
  EXPECT_LE(store.requests.size(), 5u) << "pages of small keys should grow";
}

TEST(RangePager, AnswersARequestForSomeKeysOfThePast) {
  FakeStore store;
  for (int i = 0; i < 200; ++i) store.keys[absl::StrFormat("k%04d", i)] = "v";
  RangeRequest request;
  request.set_key("k");
  request.set_range_end("l");
  request.set_revision(7);
  request.set_limit(70);
  request.set_keys_only(true);
  RangePager pager(request, store.Fetch());
  RangeResponse page;
  int seen = 0;
  do {
    ASSERT_TRUE(pager.Next(&page).ok());
    seen += page.kvs_size();
  } while (!pager.at_end());
  EXPECT_EQ(seen, 70);
  EXPECT_TRUE(page.more()) << "as the answer to one request";
  EXPECT_EQ(pager.count(), 200);
  EXPECT_EQ(store.requests.size(), 2u);
  for (const RangeRequest& asked : store.requests) {
    EXPECT_EQ(asked.revision(), 7);
    EXPECT_TRUE(asked.keys_only());
  }
  ASSERT_TRUE(pager.Next(&page).ok());
  EXPECT_TRUE(page.kvs().empty());
  EXPECT_EQ(store.requests.size(), 2u);
}

TEST(RangePager, PagesOfLargeValuesStaySmall) {
  FakeStore store;
  for (int i = 0; i < 64; ++i) {
    store.keys[absl::StrFormat("k%04d", i)] = std::string(1 << 20, 'v');
  }
  RangePager pager = store.NewPager();
  RangeResponse page;
  while (pager.Next(&page).ok() && !page.kvs().empty()) {
  }
  for (size_t i = 1; i < store.requests.size(); ++i) EXPECT_LE(store.requests[i].limit(), 2);
}

TEST(RangePager, OfAnEmptyRangeIsOneEmptyPage) {
  FakeStore store;
  RangePager pager = store.NewPager();
  RangeResponse page;
  ASSERT_TRUE(pager.Next(&page).ok());
  EXPECT_TRUE(page.kvs().empty());
  ASSERT_TRUE(pager.Next(&page).ok());
  EXPECT_EQ(store.requests.size(), 1u);
}

TEST(RangePager, PagesOfAServerThatIsBehindAreWaitedFor) {
  FakeStore store;
  for (int i = 0; i < 100; ++i) store.keys[absl::StrFormat("k%04d", i)] = "v";
  RangeRequest request;
  request.set_key("k");
  request.set_range_end("l");
  request.set_serializable(true);
  request.mutable_read_options()->mutable_max_staleness()->set_seconds(1);
  RangePager pager(request, store.Fetch());
  RangeResponse page;
  while (!pager.at_end()) ASSERT_TRUE(pager.Next(&page).ok());
  ASSERT_GE(store.requests.size(), 2u);
  EXPECT_EQ(store.requests[0].read_options().ShortDebugString(), "max_staleness { seconds: 1 }");
  EXPECT_EQ(store.requests[1].read_options().ShortDebugString(),
            "consistency: FOLLOWER min_revision: 101");
}

TEST(RangePager, HandsAFailureOn) {
  const Reply failure{Outcome::kRefused, grpc::Status(grpc::StatusCode::OUT_OF_RANGE, "compacted")};
  RangePager pager(KeyRange::Prefix("k"),
                   [&](const RangeRequest&, RangeResponse*) { return failure; });
  RangeResponse page;
  EXPECT_EQ(pager.Next(&page).outcome, Outcome::kRefused);
}

}  // namespace
}  // namespace pontoon::ctl
