// StoreHarness: a store for tests, to be used like a script.

#ifndef PONTOON_KV_STORE_STORE_HARNESS_H_
#define PONTOON_KV_STORE_STORE_HARNESS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kv/store/kv_store.h"
#include "proto/command.pb.h"
#include "proto/rpc.pb.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {

// Requests, with the fields that most tests need.
etcdserverpb::PutRequest PutOf(const std::string& key, const std::string& value);
etcdserverpb::RangeRequest RangeOf(const std::string& key, const std::string& range_end = "");
etcdserverpb::DeleteRangeRequest DeleteOf(const std::string& key,
                                          const std::string& range_end = "");
etcdserverpb::RequestOp Op(etcdserverpb::PutRequest request);
etcdserverpb::RequestOp Op(etcdserverpb::RangeRequest request);
etcdserverpb::RequestOp Op(etcdserverpb::DeleteRangeRequest request);
etcdserverpb::RequestOp Op(etcdserverpb::TxnRequest request);

// "\0", which as the end of a range means no end, and as a key comes before every other.
std::string Zero();

// "a=1 b=2": keys and values in the order of the response; then " more" if there is more.
std::string Contents(const etcdserverpb::RangeResponse& response);

// The folder of the only generation in the store's folder `dir`.
std::string OnlyGeneration(const std::string& dir);
// The records of that, which must be closed.
std::map<std::string, std::string> DumpRecords(const std::string& dir);

// The whole stream of a snapshot.
std::string ReadAll(SnapshotSource* source);

// A fresh folder for one test.
std::string MakeTestFolder();
void RemoveFolder(const std::string& dir);

class StoreHarness {
 public:
  // Scrubs only when the test runs `executor`.
  StoreHarness();
  explicit StoreHarness(const StoreOptions& options);
  // In a folder that exists; removes it in the end.
  StoreHarness(const StoreOptions& options, const std::string& dir);
  ~StoreHarness();

  const std::string& dir() const { return dir_; }
  std::string generation_dir() const { return OnlyGeneration(dir_); }
  KvStore& store() { return *store_; }
  ManualExecutor& executor() { return executor_; }

  void Close() { store_.reset(); }
  void Open();
  void Reopen();

  // Applies commands in one Apply.
  std::vector<KvResult> ApplyAll(const std::vector<storage::v1::Command>& commands);
  KvResult Apply(const storage::v1::Command& command);
  KvResult ApplyPayload(const std::string& payload);
  void ApplyUnwanted(const storage::v1::Command& command);  // nobody waits for the result

  // Applies a membership entry.
  absl::Status ApplyMembership(const std::string& payload);

  KvResult Apply(const etcdserverpb::PutRequest& request);
  KvResult Apply(const etcdserverpb::DeleteRangeRequest& request);
  KvResult Apply(const etcdserverpb::TxnRequest& request);

  // These succeed or fail the test.
  int64_t Put(const std::string& key, const std::string& value);              // the revision
  int64_t Delete(const std::string& key, const std::string& range_end = "");  // the number deleted
  etcdserverpb::TxnResponse Txn(const etcdserverpb::TxnRequest& request);
  etcdserverpb::RangeResponse Range(const etcdserverpb::RangeRequest& request);

  absl::Status Compact(int64_t revision);
  absl::Status Grant(int64_t lease, int64_t ttl_seconds);
  // As a client does; as the leader of `leader_term` does that found it expired.
  absl::Status Revoke(int64_t lease, uint64_t leader_term = 0);
  absl::Status Checkpoint(int64_t lease, int64_t remaining_ttl_seconds, uint64_t leader_term);
  etcdserverpb::AlarmResponse Alarm(const etcdserverpb::AlarmRequest& request);
  absl::Status RangeStatus(const etcdserverpb::RangeRequest& request);

  // The value of a key, now or at a revision; "(none)" if it does not exist.
  std::string Get(const std::string& key, int64_t revision = 0);
  // Everything, as Contents; or the error.
  std::string All(int64_t revision = 0);
  // The key itself with all its numbers: "create/mod/version/lease value".
  std::string Describe(const std::string& key, int64_t revision = 0);

  // Takes the state of `from` in place of its own, through a snapshot.
  void InstallFrom(StoreHarness* from);
  // Of the entries from now on; 1 at first.
  void SetTerm(Term term) { term_ = term; }

  // As KvStore does; the next command comes after it.
  absl::Status Install(std::unique_ptr<SnapshotSink> sink);

  int64_t revision() { return store_->View()->revision().value(); }

 private:
  std::vector<KvResult> ApplyItems(std::vector<ApplyItem> items);
  ApplyItem MakeItem(const std::string& payload);

  ManualClock clock_;
  ManualExecutor executor_{&clock_};
  StoreOptions options_;
  const std::string dir_;
  uint64_t next_index_ = 1;
  Term term_{1};
  std::unique_ptr<KvStore> store_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_STORE_HARNESS_H_
