#include "kv/store/store_harness.h"

#include <stdlib.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "leveldb/db.h"
#include "leveldb/filter_policy.h"
#include "raft/base/check.h"

namespace pontoon::kv {

using ::etcdserverpb::DeleteRangeRequest;
using ::etcdserverpb::DeleteRangeResponse;
using ::etcdserverpb::PutRequest;
using ::etcdserverpb::PutResponse;
using ::etcdserverpb::RangeRequest;
using ::etcdserverpb::RangeResponse;
using ::etcdserverpb::RequestOp;
using ::etcdserverpb::TxnRequest;
using ::etcdserverpb::TxnResponse;
using storage::v1::Command;

PutRequest PutOf(const std::string& key, const std::string& value) {
  PutRequest request;
  request.set_key(key);
  request.set_value(value);
  return request;
}

RangeRequest RangeOf(const std::string& key, const std::string& range_end) {
  RangeRequest request;
  request.set_key(key);
  request.set_range_end(range_end);
  return request;
}

DeleteRangeRequest DeleteOf(const std::string& key, const std::string& range_end) {
  DeleteRangeRequest request;
  request.set_key(key);
  request.set_range_end(range_end);
  return request;
}

RequestOp Op(PutRequest request) {
  RequestOp op;
  *op.mutable_request_put() = std::move(request);
  return op;
}
RequestOp Op(RangeRequest request) {
  RequestOp op;
  *op.mutable_request_range() = std::move(request);
  return op;
}
RequestOp Op(DeleteRangeRequest request) {
  RequestOp op;
  *op.mutable_request_delete_range() = std::move(request);
  return op;
}
RequestOp Op(TxnRequest request) {
  RequestOp op;
  *op.mutable_request_txn() = std::move(request);
  return op;
}

std::string Zero() { return std::string(1, '\0'); }

std::string Contents(const RangeResponse& response) {
  std::string text;
  for (const mvccpb::KeyValue& kv : response.kvs()) {
    absl::StrAppend(&text, text.empty() ? "" : " ", kv.key(), "=", kv.value());
  }
  if (response.more()) absl::StrAppend(&text, " more");
  return text;
}

std::string OnlyGeneration(const std::string& dir) {
  std::string found;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    CHECK(found.empty()) << entry.path() << " beside " << found;
    found = entry.path();
  }
  CHECK(!found.empty()) << "nothing in " << dir;
  return found;
}

std::map<std::string, std::string> DumpRecords(const std::string& dir) {
  std::unique_ptr<const leveldb::FilterPolicy> filter(leveldb::NewBloomFilterPolicy(10));
  leveldb::Options options;
  options.filter_policy = filter.get();
  leveldb::DB* opened = nullptr;
  leveldb::Status status = leveldb::DB::Open(options, OnlyGeneration(dir), &opened);
  CHECK(status.ok()) << status.ToString();
  std::unique_ptr<leveldb::DB> db(opened);
  std::unique_ptr<leveldb::Iterator> records(db->NewIterator(leveldb::ReadOptions()));
  std::map<std::string, std::string> dump;
  for (records->SeekToFirst(); records->Valid(); records->Next()) {
    dump[records->key().ToString()] = records->value().ToString();
  }
  CHECK(records->status().ok());
  return dump;
}

std::string ReadAll(SnapshotSource* source) {
  constexpr size_t kPieceBytes = 10000;
  std::string stream;
  while (true) {
    absl::StatusOr<std::string> piece = source->Read(kPieceBytes);
    CHECK(piece.ok()) << piece.status();
    CHECK_LE(piece->size(), kPieceBytes);
    if (piece->empty()) return stream;
    stream += *piece;
  }
}

std::string MakeTestFolder() {
  std::string dir = testing::TempDir() + "/store_XXXXXX";
  CHECK(mkdtemp(dir.data()) != nullptr);
  return dir;
}

void RemoveFolder(const std::string& dir) { std::filesystem::remove_all(dir); }

namespace {

StoreOptions SmallOptions() {
  StoreOptions options;
  options.block_cache_bytes = 1 << 20;
  options.write_buffer_bytes = 64 << 10;
  return options;
}

}  // namespace

StoreHarness::StoreHarness() : StoreHarness(SmallOptions()) {}

StoreHarness::StoreHarness(const StoreOptions& options) : StoreHarness(options, MakeTestFolder()) {}

StoreHarness::StoreHarness(const StoreOptions& options, const std::string& dir)
    : options_(options), dir_(dir) {
  if (!options_.scrub_executor) options_.scrub_executor = &executor_;
  Open();
}

StoreHarness::~StoreHarness() {
  Close();
  executor_.DropAll();  // closes what was retired
  RemoveFolder(dir_);
}

void StoreHarness::Open() {
  executor_.DropAll();  // as a restart does
  absl::StatusOr<std::unique_ptr<KvStore>> store = KvStore::Open(dir_, options_);
  CHECK(store.ok()) << store.status().ToString();
  store_ = *std::move(store);
  next_index_ = store_->Applied().index.value() + 1;
}

void StoreHarness::Reopen() {
  Close();
  Open();
}

ApplyItem StoreHarness::MakeItem(const std::string& payload) {
  ApplyItem item;
  item.entry.index = LogIndex(next_index_++);
  item.entry.term = term_;
  item.entry.kind = EntryKind::kCommand;
  item.entry.payload = std::make_shared<const std::string>(payload);
  item.wants_result = true;
  return item;
}

std::vector<KvResult> StoreHarness::ApplyItems(std::vector<ApplyItem> items) {
  absl::Status status = store_->Apply(items);
  CHECK(status.ok()) << status.ToString();
  std::vector<KvResult> results;
  for (ApplyItem& item : items) {
    CHECK_EQ(item.result != nullptr, item.wants_result);
    if (item.result) results.push_back(std::move(dynamic_cast<KvResult&>(*item.result)));
  }
  return results;
}

std::vector<KvResult> StoreHarness::ApplyAll(const std::vector<Command>& commands) {
  std::vector<ApplyItem> items;
  for (const Command& command : commands) items.push_back(MakeItem(command.SerializeAsString()));
  return ApplyItems(std::move(items));
}

KvResult StoreHarness::Apply(const Command& command) { return ApplyAll({command}).front(); }

KvResult StoreHarness::ApplyPayload(const std::string& payload) {
  std::vector<ApplyItem> items;
  items.push_back(MakeItem(payload));
  return ApplyItems(std::move(items)).front();
}

void StoreHarness::ApplyUnwanted(const Command& command) {
  std::vector<ApplyItem> items;
  items.push_back(MakeItem(command.SerializeAsString()));
  items.back().wants_result = false;
  ApplyItems(std::move(items));
}

absl::Status StoreHarness::ApplyMembership(const std::string& payload) {
  std::vector<ApplyItem> items;
  items.push_back(MakeItem(payload));
  items.back().entry.kind = EntryKind::kMembership;
  items.back().wants_result = false;
  return store_->Apply(items);
}

KvResult StoreHarness::Apply(const PutRequest& request) {
  Command command;
  *command.mutable_put() = request;
  return Apply(command);
}

KvResult StoreHarness::Apply(const DeleteRangeRequest& request) {
  Command command;
  *command.mutable_delete_range() = request;
  return Apply(command);
}

KvResult StoreHarness::Apply(const TxnRequest& request) {
  Command command;
  *command.mutable_txn() = request;
  return Apply(command);
}

int64_t StoreHarness::Put(const std::string& key, const std::string& value) {
  KvResult result = Apply(PutOf(key, value));
  CHECK(result.status.ok()) << result.status.ToString();
  return std::get<PutResponse>(result.response).header().revision();
}

int64_t StoreHarness::Delete(const std::string& key, const std::string& range_end) {
  KvResult result = Apply(DeleteOf(key, range_end));
  CHECK(result.status.ok()) << result.status.ToString();
  return std::get<DeleteRangeResponse>(result.response).deleted();
}

TxnResponse StoreHarness::Txn(const TxnRequest& request) {
  KvResult result = Apply(request);
  CHECK(result.status.ok()) << result.status.ToString();
  return std::get<TxnResponse>(result.response);
}

RangeResponse StoreHarness::Range(const RangeRequest& request) {
  RangeResponse response;
  absl::Status status = store_->View()->Range(request, &response);
  CHECK(status.ok()) << status.ToString();
  return response;
}

absl::Status StoreHarness::Compact(int64_t revision) {
  Command command;
  command.mutable_compaction()->set_revision(revision);
  return Apply(command).status;
}

absl::Status StoreHarness::Grant(int64_t lease, int64_t ttl_seconds) {
  Command command;
  command.mutable_lease_grant()->set_id(lease);
  command.mutable_lease_grant()->set_ttl(ttl_seconds);
  return Apply(command).status;
}

absl::Status StoreHarness::Revoke(int64_t lease, uint64_t leader_term) {
  Command command;
  command.mutable_lease_revocation()->set_id(lease);
  command.mutable_lease_revocation()->set_leader_term(leader_term);
  return Apply(command).status;
}

absl::Status StoreHarness::Checkpoint(int64_t lease, int64_t remaining_ttl_seconds,
                                      uint64_t leader_term) {
  Command command;
  auto* const checkpoint = command.mutable_lease_checkpoints()->add_checkpoints();
  checkpoint->set_id(lease);
  checkpoint->set_remaining_ttl(remaining_ttl_seconds);
  command.mutable_lease_checkpoints()->set_leader_term(leader_term);
  return Apply(command).status;
}

etcdserverpb::AlarmResponse StoreHarness::Alarm(const etcdserverpb::AlarmRequest& request) {
  Command command;
  *command.mutable_alarm() = request;
  KvResult result = Apply(command);
  CHECK(result.status.ok()) << result.status.ToString();
  return std::get<etcdserverpb::AlarmResponse>(result.response);
}

void StoreHarness::InstallFrom(StoreHarness* from) {
  auto source = from->store().OpenSnapshot();
  CHECK(source.ok()) << source.status();
  auto sink = store_->BeginSnapshot((*source)->position());
  CHECK(sink.ok()) << sink.status();
  absl::Status status = (*sink)->Write(ReadAll(source->get()));
  if (status.ok()) status = (*sink)->Finish();
  if (status.ok()) status = Install(*std::move(sink));
  CHECK(status.ok()) << status;
}

absl::Status StoreHarness::Install(std::unique_ptr<SnapshotSink> sink) {
  absl::Status status = store_->Install(std::move(sink));
  next_index_ = store_->Applied().index.value() + 1;
  return status;
}

absl::Status StoreHarness::RangeStatus(const RangeRequest& request) {
  RangeResponse response;
  return store_->View()->Range(request, &response);
}

std::string StoreHarness::Get(const std::string& key, int64_t revision) {
  RangeRequest request = RangeOf(key);
  request.set_revision(revision);
  RangeResponse response = Range(request);
  return response.kvs_size() == 0 ? "(none)" : response.kvs(0).value();
}

std::string StoreHarness::All(int64_t revision) {
  RangeRequest request = RangeOf(Zero(), Zero());
  request.set_revision(revision);
  RangeResponse response;
  absl::Status status = store_->View()->Range(request, &response);
  return status.ok() ? Contents(response) : std::string(status.message());
}

std::string StoreHarness::Describe(const std::string& key, int64_t revision) {
  RangeRequest request = RangeOf(key);
  request.set_revision(revision);
  RangeResponse response = Range(request);
  if (response.kvs_size() == 0) return "(none)";
  const mvccpb::KeyValue& kv = response.kvs(0);
  return absl::StrCat(kv.create_revision(), "/", kv.mod_revision(), "/", kv.version(), "/",
                      kv.lease(), " ", kv.value());
}

}  // namespace pontoon::kv
