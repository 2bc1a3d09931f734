// What every watcher is promised, held against histories by chance.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/watch/recording_outlet.h"
#include "kv/watch/watch_hub_fixture.h"
#include "raft/base/prng.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::WatchRequest;

// Random watchers of few keys, on streams that are now and then slow, beside random writes and
// compactions: each watcher must have heard, when everything has come to rest, exactly the events
// of its keys from where it began, in order, whole revisions at a time; unless it was told that
// they are compacted.
class WatchContractTest : public WatchHubTest, public testing::WithParamInterface<uint64_t> {};

struct Expected {
  int64_t start = 0;
  std::string key, range_end;
  int64_t last = 0;      // revision heard
  int64_t promised = 0;  // up to which it was told that everything has come
  std::vector<std::string> events;
  bool created = false, canceled = false;
};

TEST_P(WatchContractTest, EveryWatcherHearsEverythingOnceInOrder) {
  Prng prng(GetParam());
  options_.turn_revisions_max = 1 + prng.Below(4);
  options_.turn_watchers_max = 1 + prng.Below(3);
  Begin();
  struct Client {
    std::shared_ptr<RecordingOutlet> outlet;
    WatchHub::StreamId stream;
    std::map<int64_t, Expected> watchers;
  };
  std::vector<Client> clients(3);
  for (Client& client : clients) {
    client.outlet = std::make_shared<RecordingOutlet>(1 + prng.Below(4));
    client.stream = hub_->Open(client.outlet);
  }
  std::vector<std::pair<int64_t, std::pair<std::string, std::string>>> history;  // revision, key
  int64_t compacted = 0, next_id = 1;
  const auto letter = [&prng] { return std::string(1, static_cast<char>('a' + prng.Below(4))); };

  const auto read = [&](Client* client) {
    for (const auto& response : client->outlet->TakeResponses()) {
      if (response.watch_id() == -1) {
        for (auto& [id, watcher] : client->watchers) {
          if (watcher.created) watcher.promised = response.header().revision();
        }
        continue;
      }
      Expected& watcher = client->watchers.at(response.watch_id());
      if (response.created()) watcher.created = true;
      ASSERT_TRUE(watcher.created);
      ASSERT_FALSE(watcher.canceled) << "nothing comes after the end";
      if (response.canceled()) {
        watcher.canceled = true;
        ASSERT_GT(response.compact_revision(), std::max(watcher.start, watcher.last));
        continue;
      }
      for (const auto& event : response.events()) {
        const int64_t revision = event.kv().mod_revision();
        ASSERT_GE(revision, watcher.last);
        ASSERT_GT(revision, watcher.promised) << "an event after its progress";
        ASSERT_LE(revision, response.header().revision());
        watcher.last = revision;
        watcher.events.push_back(absl::StrCat(revision, event.kv().key(), event.kv().value()));
      }
      // A revision is never continued in another response.
      if (response.events_size() > 0) watcher.promised = watcher.last;
    }
    hub_->OnDrained(client->stream);
  };

  for (int step = 0; step < 400; ++step) {
    Client& client = clients[prng.Below(clients.size())];
    switch (prng.Below(8)) {
      case 0: {
        const int64_t id = next_id++;
        Expected watcher;
        watcher.key = letter();
        if (prng.Below(2) == 0) watcher.range_end = std::string(1, watcher.key[0] + 2);
        WatchRequest request;
        auto* const create = request.mutable_create_request();
        create->set_key(watcher.key);
        create->set_range_end(watcher.range_end);
        create->set_watch_id(id);
        if (prng.Below(2) == 0) {
          watcher.start =
              std::max<int64_t>(1, h_.revision() + 3 - static_cast<int64_t>(prng.Below(20)));
          create->set_start_revision(watcher.start);
        } else {
          watcher.start = h_.revision() + 1;
        }
        client.watchers.emplace(id, watcher);
        hub_->Handle(client.stream, std::move(request));
        if (create->start_revision() == 0) executor_->RunDue();  // it begins now
        break;
      }
      case 1:
        read(&client);
        break;
      case 2:
        executor_->RunOne();
        break;
      case 3:
        hub_->Handle(client.stream, RequestOf("progress_request {}"));
        break;
      case 4:
        if (prng.Below(4) == 0 && h_.revision() > compacted + 6) {
          compacted = h_.revision() - static_cast<int64_t>(prng.Below(6));
          ASSERT_TRUE(h_.Compact(compacted).ok());
          h_.executor().RunDue();
        }
        break;
      default: {
        etcdserverpb::TxnRequest txn;
        for (const char* key : {"a", "b", "c", "d", "e"}) {
          if (prng.Below(3) == 0) *txn.add_success() = Op(PutOf(key, absl::StrCat(step)));
        }
        if (txn.success_size() == 0) break;
        const int64_t revision = h_.Txn(txn).header().revision();
        for (const auto& op : txn.success()) {
          history.push_back({revision, {op.request_put().key(), op.request_put().value()}});
        }
      }
    }
    if (HasFatalFailure()) return;
  }
  for (int i = 0; i < 2000; ++i) {  // until everybody has room and time
    executor_->RunDue();
    for (Client& client : clients) {
      read(&client);
      if (HasFatalFailure()) return;
    }
  }

  int whole = 0, canceled = 0;
  for (const Client& client : clients) {
    for (const auto& [id, watcher] : client.watchers) {
      std::vector<std::string> expected;
      for (const auto& [revision, change] : history) {
        const auto& [key, value] = change;
        const bool its_key = watcher.range_end.empty()
                                 ? key == watcher.key
                                 : key >= watcher.key && key < watcher.range_end;
        if (revision >= watcher.start && its_key) {
          expected.push_back(absl::StrCat(revision, key, value));
        }
      }
      if (watcher.canceled) {
        ++canceled;
        ASSERT_LE(watcher.events.size(), expected.size());
        expected.resize(watcher.events.size());
      } else {
        ++whole;
      }
      EXPECT_EQ(watcher.events, expected) << "watcher " << id << " from " << watcher.start;
    }
  }
  EXPECT_GT(whole + canceled, 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, WatchContractTest, testing::Range<uint64_t>(1, 41));

}  // namespace
}  // namespace pontoon::kv
