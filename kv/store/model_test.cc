// Random programs against a model that is too simple to be wrong.
//
// The model keeps a full copy of all keys for every revision, and knows nothing of records,
// batches, cursors or compaction beyond its number. It was written from the description of the API,
// not from the store.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "kv/errors.h"
#include "kv/store/layout.h"
#include "kv/store/store_harness.h"
#include "raft/base/prng.h"

namespace pontoon::kv {
namespace {

using ::etcdserverpb::CompactionResponse;
using ::etcdserverpb::Compare;
using ::etcdserverpb::DeleteRangeRequest;
using ::etcdserverpb::DeleteRangeResponse;
using ::etcdserverpb::PutRequest;
using ::etcdserverpb::PutResponse;
using ::etcdserverpb::RangeRequest;
using ::etcdserverpb::RangeResponse;
using ::etcdserverpb::RequestOp;
using ::etcdserverpb::TxnRequest;
using ::etcdserverpb::TxnResponse;
using ::mvccpb::KeyValue;
using storage::v1::Command;

using Keys = std::map<std::string, KeyValue>;

// What a command or a read gave, as text: comparable, and readable when a test fails.
template <typename Response>
std::string Text(const absl::Status& status, const Response& response) {
  return status.ok() ? response.ShortDebugString() : std::string(status.message());
}

class Model {
 public:
  Model() : at_(2) {}  // revisions 0 and 1: nothing

  int64_t revision() const { return static_cast<int64_t>(at_.size()) - 1; }
  int64_t compacted() const { return compacted_; }
  const Keys& At(int64_t revision) const { return at_[revision]; }

  std::string Apply(const Command& command) {
    now_ = at_.back();
    changed_ = false;
    std::string text;
    if (command.has_put()) {
      PutResponse response;
      absl::Status status = MayPut(command.put());
      if (status.ok()) response = Put(command.put());
      text = Text(status, response);
    } else if (command.has_delete_range()) {
      text = Text(absl::OkStatus(), Delete(command.delete_range()));
    } else if (command.has_txn()) {
      TxnResponse response;
      absl::Status status = Txn(command.txn(), &response);
      text = Text(status, response);
    } else {
      return Compact(command.compaction().revision());
    }
    if (changed_) at_.push_back(now_);
    return text;
  }

  absl::Status Read(const RangeRequest& request, RangeResponse* response) {
    now_ = at_.back();
    changed_ = false;
    return Range(request, response);
  }

 private:
  static std::vector<std::string> Matching(const Keys& keys, const std::string& key,
                                           const std::string& end) {
    std::vector<std::string> matching;
    for (const auto& [candidate, kv] : keys) {
      bool match = end.empty()     ? candidate == key
                   : end == Zero() ? candidate >= key
                                   : candidate >= key && candidate < end;
      if (match) matching.push_back(candidate);
    }
    return matching;
  }

  int64_t RevisionNow() const { return revision() + (changed_ ? 1 : 0); }

  absl::Status MayPut(const PutRequest& request) {
    if ((request.ignore_value() || request.ignore_lease()) && !at_.back().count(request.key())) {
      return kErrKeyNotFound;
    }
    return absl::OkStatus();
  }

  PutResponse Put(const PutRequest& request) {
    PutResponse response;
    KeyValue kv;
    kv.set_create_revision(revision() + 1);
    auto old = now_.find(request.key());
    if (old != now_.end()) {
      kv = old->second;
      if (request.prev_kv()) *response.mutable_prev_kv() = old->second;
    }
    kv.set_key(request.key());
    if (!request.ignore_value()) kv.set_value(request.value());
    if (!request.ignore_lease()) kv.set_lease(0);
    kv.set_version(kv.version() + 1);
    kv.set_mod_revision(revision() + 1);
    now_[request.key()] = kv;
    changed_ = true;
    response.mutable_header()->set_revision(RevisionNow());
    return response;
  }

  DeleteRangeResponse Delete(const DeleteRangeRequest& request) {
    DeleteRangeResponse response;
    for (const std::string& key : Matching(now_, request.key(), request.range_end())) {
      if (request.prev_kv()) *response.add_prev_kvs() = now_[key];
      now_.erase(key);
      changed_ = true;
      response.set_deleted(response.deleted() + 1);
    }
    response.mutable_header()->set_revision(RevisionNow());
    return response;
  }

  std::string Compact(int64_t revision_wanted) {
    if (revision_wanted <= compacted_) return std::string(kErrCompacted.text);
    if (revision_wanted > revision()) return std::string(kErrFutureRev.text);
    compacted_ = revision_wanted;
    CompactionResponse response;
    response.mutable_header()->set_revision(revision());
    return Text(absl::OkStatus(), response);
  }

  static bool Kept(const RangeRequest& r, const KeyValue& kv) {
    if (r.min_mod_revision() && kv.mod_revision() < r.min_mod_revision()) return false;
    if (r.max_mod_revision() && kv.mod_revision() > r.max_mod_revision()) return false;
    if (r.min_create_revision() && kv.create_revision() < r.min_create_revision()) return false;
    if (r.max_create_revision() && kv.create_revision() > r.max_create_revision()) return false;
    return true;
  }

  static bool Less(RangeRequest::SortTarget target, const KeyValue& a, const KeyValue& b) {
    switch (target) {
      case RangeRequest::VERSION:
        return a.version() < b.version();
      case RangeRequest::CREATE:
        return a.create_revision() < b.create_revision();
      case RangeRequest::MOD:
        return a.mod_revision() < b.mod_revision();
      case RangeRequest::VALUE:
        return a.value() < b.value();
      default:
        return a.key() < b.key();
    }
  }

  absl::Status Range(const RangeRequest& r, RangeResponse* response) {
    if (r.revision() > RevisionNow()) return kErrFutureRev;
    if (r.revision() > 0 && r.revision() < compacted_) return kErrCompacted;
    bool is_now = r.revision() <= 0 || r.revision() == RevisionNow();
    const Keys& keys = is_now ? now_ : at_[r.revision()];

    std::vector<KeyValue> found;
    for (const std::string& key : Matching(keys, r.key(), r.range_end())) {
      found.push_back(keys.at(key));
    }
    response->set_count(static_cast<int64_t>(found.size()));
    response->mutable_header()->set_revision(RevisionNow());
    if (r.count_only()) return absl::OkStatus();

    size_t limit = r.limit() > 0 ? static_cast<size_t>(r.limit()) : SIZE_MAX;
    bool filters = r.min_mod_revision() || r.max_mod_revision() || r.min_create_revision() ||
                   r.max_create_revision();
    // etcd fetches one more than the limit, unless it has to sort or to filter.
    if (r.sort_order() == RangeRequest::NONE && !filters && limit != SIZE_MAX &&
        found.size() > limit + 1) {
      found.resize(limit + 1);
    }
    std::erase_if(found, [&](const KeyValue& kv) { return !Kept(r, kv); });
    bool descending = r.sort_order() == RangeRequest::DESCEND;
    std::stable_sort(found.begin(), found.end(), [&](const KeyValue& a, const KeyValue& b) {
      return descending ? Less(r.sort_target(), b, a) : Less(r.sort_target(), a, b);
    });
    response->set_more(found.size() > limit);
    for (size_t i = 0; i < found.size() && i < limit; ++i) {
      if (r.keys_only()) found[i].clear_value();
      *response->add_kvs() = found[i];
    }
    return absl::OkStatus();
  }

  template <typename T>
  static bool Satisfied(Compare::CompareResult result, const T& actual, const T& named) {
    switch (result) {
      case Compare::EQUAL:
        return actual == named;
      case Compare::NOT_EQUAL:
        return actual != named;
      case Compare::GREATER:
        return actual > named;
      default:
        return actual < named;
    }
  }

  static bool SatisfiedBy(const Compare& compare, const KeyValue& kv) {
    switch (compare.target()) {
      case Compare::VERSION:
        return Satisfied(compare.result(), kv.version(), compare.version());
      case Compare::CREATE:
        return Satisfied(compare.result(), kv.create_revision(), compare.create_revision());
      case Compare::MOD:
        return Satisfied(compare.result(), kv.mod_revision(), compare.mod_revision());
      case Compare::LEASE:
        return Satisfied(compare.result(), kv.lease(), compare.lease());
      default:
        return Satisfied(compare.result(), kv.value(), compare.value());
    }
  }

  // By the state before the transaction.
  bool AllHold(const TxnRequest& request) const {
    for (const Compare& compare : request.compare()) {
      const Keys& keys = at_.back();
      std::vector<std::string> matching = Matching(keys, compare.key(), compare.range_end());
      if (matching.empty()) {
        if (compare.target() == Compare::VALUE) return false;
        if (!SatisfiedBy(compare, KeyValue())) return false;
      }
      for (const std::string& key : matching) {
        if (!SatisfiedBy(compare, keys.at(key))) return false;
      }
    }
    return true;
  }

  const auto& Branch(const TxnRequest& request) const {
    return AllHold(request) ? request.success() : request.failure();
  }

  absl::Status MayDo(const TxnRequest& request) {
    for (const RequestOp& op : Branch(request)) {
      absl::Status status;
      if (op.has_request_range()) {
        int64_t at = op.request_range().revision();
        if (at > revision()) status = kErrFutureRev;
        if (at != 0 && at < compacted_) status = kErrCompacted;
      } else if (op.has_request_put()) {
        status = MayPut(op.request_put());
      } else if (op.has_request_txn()) {
        status = MayDo(op.request_txn());
      }
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  void Do(const TxnRequest& request, TxnResponse* response) {
    response->set_succeeded(AllHold(request));
    response->mutable_header();
    for (const RequestOp& op : Branch(request)) {
      auto* result = response->add_responses();
      if (op.has_request_range()) {
        EXPECT_TRUE(Range(op.request_range(), result->mutable_response_range()).ok());
      } else if (op.has_request_put()) {
        *result->mutable_response_put() = Put(op.request_put());
      } else if (op.has_request_delete_range()) {
        *result->mutable_response_delete_range() = Delete(op.request_delete_range());
      } else {
        Do(op.request_txn(), result->mutable_response_txn());
      }
    }
  }

  absl::Status Txn(const TxnRequest& request, TxnResponse* response) {
    absl::Status status = MayDo(request);
    if (!status.ok()) return status;
    Do(request, response);
    response->mutable_header()->set_revision(RevisionNow());
    return absl::OkStatus();
  }

  std::vector<Keys> at_;  // by revision
  int64_t compacted_ = -1;
  Keys now_;  // in the middle of a command
  bool changed_ = false;
};

// Makes up commands and reads over few keys, so that they meet.
class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t bound) { return random_.Below(bound); }

  Command NextCommand(int64_t revision) {
    Command command;
    uint64_t dice = Below(100);
    if (dice < 45) {
      *command.mutable_put() = Put();
    } else if (dice < 60) {
      *command.mutable_delete_range() = Delete();
    } else if (dice < 97) {
      *command.mutable_txn() = Txn(revision, 2);
    } else {
      // Mostly some way back, now and then nonsense.
      int64_t back = static_cast<int64_t>(Below(40)) - 2;
      command.mutable_compaction()->set_revision(revision - back);
    }
    return command;
  }

  RangeRequest Range(int64_t revision) {
    RangeRequest request;
    SetKeys(&request);
    if (OneIn(2)) request.set_revision(revision + 1 - static_cast<int64_t>(Below(60)));
    if (OneIn(3)) request.set_limit(static_cast<int64_t>(Below(5)));
    if (OneIn(3)) request.set_sort_order(static_cast<RangeRequest::SortOrder>(Below(3)));
    if (OneIn(3)) request.set_sort_target(static_cast<RangeRequest::SortTarget>(Below(5)));
    if (OneIn(8)) request.set_keys_only(true);
    if (OneIn(8)) request.set_count_only(true);
    if (OneIn(8)) request.set_min_mod_revision(RecentRevision(revision));
    if (OneIn(8)) request.set_max_mod_revision(RecentRevision(revision));
    if (OneIn(8)) request.set_min_create_revision(RecentRevision(revision));
    if (OneIn(8)) request.set_max_create_revision(RecentRevision(revision));
    return request;
  }

 private:
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  int64_t RecentRevision(int64_t revision) {
    return std::max<int64_t>(0, revision - static_cast<int64_t>(Below(30)));
  }

  std::string Key() {
    static const std::vector<std::string> kKeys = {Zero(),
                                                   "a",
                                                   std::string("a\0", 2),
                                                   std::string("a\0\0b", 4),
                                                   "a\x01",
                                                   "a\xff",
                                                   "aa",
                                                   "b",
                                                   "ba",
                                                   "c",
                                                   "cc",
                                                   "\xff"};
    return kKeys[Below(kKeys.size())];
  }

  template <typename Request>
  void SetKeys(Request* request) {
    request->set_key(Key());
    uint64_t dice = Below(5);
    if (dice == 0) request->set_range_end(Zero());
    if (dice >= 3) request->set_range_end(Key());
  }

  PutRequest Put() {
    PutRequest request;
    request.set_key(Key());
    if (OneIn(8)) {
      request.set_ignore_value(true);
    } else {
      request.set_value(absl::StrCat(Below(4)));
    }
    request.set_ignore_lease(OneIn(8));
    request.set_prev_kv(OneIn(3));
    return request;
  }

  DeleteRangeRequest Delete() {
    DeleteRangeRequest request;
    if (OneIn(3)) {
      SetKeys(&request);
    } else {
      request.set_key(Key());
    }
    request.set_prev_kv(OneIn(3));
    return request;
  }

  Compare AnyCompare(int64_t revision) {
    Compare compare;
    SetKeys(&compare);
    compare.set_result(static_cast<Compare::CompareResult>(Below(4)));
    compare.set_target(static_cast<Compare::CompareTarget>(Below(5)));
    if (OneIn(10)) return compare;  // names nothing
    switch (compare.target()) {
      case Compare::VERSION:
        compare.set_version(static_cast<int64_t>(Below(3)));
        break;
      case Compare::CREATE:
        compare.set_create_revision(RecentRevision(revision));
        break;
      case Compare::MOD:
        compare.set_mod_revision(RecentRevision(revision));
        break;
      case Compare::LEASE:
        compare.set_lease(0);
        break;
      default:
        compare.set_value(absl::StrCat(Below(4)));
    }
    return compare;
  }

  RequestOp AnyOp(int64_t revision, int depth) {
    RequestOp op;
    uint64_t dice = Below(10);
    if (dice < 4) {
      *op.mutable_request_put() = Put();
      // Ignoring what an earlier operation deleted is not possible through the service.
      op.mutable_request_put()->set_ignore_value(false);
      op.mutable_request_put()->set_ignore_lease(false);
    } else if (dice < 6) {
      *op.mutable_request_delete_range() = Delete();
    } else if (dice < 9 || depth == 0) {
      *op.mutable_request_range() = Range(revision);
      // Half of them would fail the transaction.
      if (!OneIn(6)) op.mutable_request_range()->clear_revision();
    } else {
      *op.mutable_request_txn() = Txn(revision, depth - 1);
    }
    return op;
  }

  TxnRequest Txn(int64_t revision, int depth) {
    TxnRequest request;
    for (uint64_t n = Below(3); n > 0; --n) *request.add_compare() = AnyCompare(revision);
    for (uint64_t n = Below(4); n > 0; --n) *request.add_success() = AnyOp(revision, depth);
    for (uint64_t n = Below(4); n > 0; --n) *request.add_failure() = AnyOp(revision, depth);
    return request;
  }

  Prng random_;
};

std::string Text(const KvResult& result) {
  if (!result.status.ok()) return std::string(result.status.message());
  return std::visit(
      [](const auto& response) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(response)>, std::monostate>) {
          return "no response";
        } else {
          return response.ShortDebugString();
        }
      },
      result.response);
}

void CompareReads(StoreHarness* h, Model* model, Generator* generator) {
  RangeRequest request = generator->Range(model->revision());
  RangeResponse actual, expected;
  absl::Status actual_status = h->store().View()->Range(request, &actual);
  absl::Status expected_status = model->Read(request, &expected);
  ASSERT_EQ(Text(actual_status, actual), Text(expected_status, expected))
      << request.ShortDebugString();
}

// Every revision that can be read is as the model has it.
void CompareHistories(StoreHarness* h, const Model& model) {
  for (int64_t at = std::max<int64_t>(1, model.compacted()); at <= model.revision(); ++at) {
    RangeRequest request = RangeOf(Zero(), Zero());
    request.set_revision(at);
    RangeResponse response = h->Range(request);
    ASSERT_EQ(response.kvs_size(), static_cast<int>(model.At(at).size())) << at;
    int i = 0;
    for (const auto& [key, kv] : model.At(at)) {
      ASSERT_EQ(response.kvs(i++).ShortDebugString(), kv.ShortDebugString()) << at;
    }
  }
}

class ModelTest : public testing::TestWithParam<uint64_t> {};

TEST_P(ModelTest, RandomProgramsDoWhatTheModelDoes) {
  constexpr int kSteps = 3000;
  Generator generator(GetParam());
  Model model;
  StoreHarness h;
  for (int step = 0; step < kSteps;) {
    std::vector<Command> commands;
    std::vector<std::string> expected;
    for (uint64_t n = 1 + generator.Below(8); n > 0; --n, ++step) {
      commands.push_back(generator.NextCommand(model.revision()));
      expected.push_back(model.Apply(commands.back()));
    }
    std::vector<KvResult> results = h.ApplyAll(commands);
    for (size_t i = 0; i < results.size(); ++i) {
      ASSERT_EQ(Text(results[i]), expected[i]) << commands[i].ShortDebugString();
    }
    ASSERT_EQ(h.revision(), model.revision());
    for (int i = 0; i < 3; ++i) ASSERT_NO_FATAL_FAILURE(CompareReads(&h, &model, &generator));
    if (generator.Below(20) == 0) h.executor().RunOne();
    if (generator.Below(100) == 0) h.Reopen();
  }
  ASSERT_NO_FATAL_FAILURE(CompareHistories(&h, model));
  h.executor().RunDue();
  ASSERT_NO_FATAL_FAILURE(CompareHistories(&h, model));
}

TEST_P(ModelTest, GroupingWantingAndCachingChangeNothing) {
  constexpr int kSteps = 1500;
  Generator generator(GetParam());
  Model model;
  StoreHarness together;
  StoreOptions without_cache;
  without_cache.record_cache_bytes = 0;
  StoreHarness apart(without_cache);
  for (int step = 0; step < kSteps;) {
    std::vector<Command> commands;
    for (uint64_t n = 1 + generator.Below(40); n > 0; --n, ++step) {
      commands.push_back(generator.NextCommand(model.revision()));
      model.Apply(commands.back());
    }
    together.ApplyAll(commands);
    for (const Command& command : commands) {
      if (generator.Below(2) == 0) {
        apart.Apply(command);
      } else {
        apart.ApplyUnwanted(command);
      }
    }
    if (generator.Below(10) == 0) apart.Reopen();
  }
  together.Close();
  apart.Close();
  ASSERT_EQ(DumpRecords(together.dir()), DumpRecords(apart.dir()));
}

// A store that stands still for a while, and then takes the state of one that went on, is as if it
// had applied everything itself, whatever it had applied, read or removed before.
TEST_P(ModelTest, InstalledSnapshotsDoWhatTheModelDoes) {
  constexpr int kSteps = 1500;
  Generator generator(GetParam());
  Model model;
  StoreHarness ahead;
  StoreHarness behind;
  bool follows = true;
  int installed = 0;
  for (int step = 0; step < kSteps;) {
    std::vector<Command> commands;
    std::vector<std::string> expected;
    for (uint64_t n = 1 + generator.Below(8); n > 0; --n, ++step) {
      commands.push_back(generator.NextCommand(model.revision()));
      expected.push_back(model.Apply(commands.back()));
    }
    ahead.ApplyAll(commands);
    if (generator.Below(10) == 0) ahead.executor().RunOne();
    if (generator.Below(10) == 0) behind.executor().RunOne();
    if (follows) {
      std::vector<KvResult> results = behind.ApplyAll(commands);
      for (size_t i = 0; i < results.size(); ++i) {
        ASSERT_EQ(Text(results[i]), expected[i]) << commands[i].ShortDebugString();
      }
    } else if (generator.Below(4) == 0) {
      behind.InstallFrom(&ahead);
      ++installed;
      follows = true;
    }
    if (!follows) continue;
    ASSERT_EQ(behind.store().Applied(), ahead.store().Applied());
    for (int i = 0; i < 3; ++i) ASSERT_NO_FATAL_FAILURE(CompareReads(&behind, &model, &generator));
    if (generator.Below(50) == 0) behind.Reopen();
    follows = generator.Below(10) != 0;
  }
  EXPECT_GT(installed, 5);
  if (!follows) behind.InstallFrom(&ahead);
  ASSERT_NO_FATAL_FAILURE(CompareHistories(&behind, model));
  for (StoreHarness* h : {&ahead, &behind}) {
    h->executor().RunDue();
    h->Close();
  }
  ASSERT_NO_FATAL_FAILURE(ASSERT_EQ(DumpRecords(ahead.dir()), DumpRecords(behind.dir())));
}

// After everything is compacted and scrubbed there is one version of every key that exists, and
// beside that the events of the last revision.
TEST_P(ModelTest, ScrubbingLeavesWhatIsNeeded) {
  constexpr int kSteps = 1000;
  Generator generator(GetParam());
  Model model;
  StoreHarness h;
  for (int step = 0; step < kSteps; ++step) {
    Command command = generator.NextCommand(model.revision());
    model.Apply(command);
    h.Apply(command);
    if (generator.Below(10) == 0) h.executor().RunDue();
  }
  h.Put("end", "");
  ASSERT_TRUE(h.Compact(h.revision()).ok());
  h.executor().RunDue();
  std::string all = h.All();
  h.Close();
  std::map<char, size_t> records;
  for (const auto& [key, value] : DumpRecords(h.dir())) ++records[key[0]];
  size_t keys = std::count(all.begin(), all.end(), '=');
  EXPECT_EQ(records[kCurrentPrefix], keys);
  EXPECT_EQ(records[kHistoryPrefix], keys);
  EXPECT_EQ(records[kEventPrefix], keys);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace pontoon::kv
