// The production KvStore in a simulation. Its files lie in memory. LevelDB has a thread of its own,
// but it works only during Sync, which waits for it, and then on what no reader can tell: so a run
// stays the same run. The write buffer is larger than any run fills.

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "kv/errors.h"
#include "kv/store/kv_store.h"
#include "kv/store/lease_records.h"
#include "leveldb/env.h"
#include "leveldb/helpers/memenv.h"
#include "proto/command.pb.h"
#include "proto/rpc.pb.h"
#include "raft/base/check.h"
#include "tests/sim/store.h"

namespace pontoon::sim {
namespace {

using storage::v1::Command;

constexpr char kDir[] = "/state";

// Of fields that Command does not know, and passes over: 1000, 64 bits, for the number of the
// operation, and 1001, bytes, to make a command as large as it shall be.
constexpr char kOperationTag[] = "\xC1\x3E";
constexpr char kPaddingTag[] = "\xCA\x3E";
constexpr size_t kPaddingMax = (1 << 14) - 1;  // a length of two bytes

std::string TextOf(Value value) { return absl::StrCat(value.value()); }

// LevelDB's memory env knows files by their whole names, and no folders.
class FolderEnv final : public leveldb::EnvWrapper {
 public:
  explicit FolderEnv(leveldb::Env* base) : EnvWrapper(base) {}

  // The base gives what is in folders below, too, as "folder/file".
  leveldb::Status GetChildren(const std::string& dir, std::vector<std::string>* names) override {
    std::vector<std::string> files;
    const leveldb::Status listed = target()->GetChildren(dir, &files);
    std::set<std::string> children;
    for (const std::string& file : files) children.insert(file.substr(0, file.find('/')));
    names->assign(children.begin(), children.end());
    return listed;
  }

  leveldb::Status RenameFile(const std::string& from, const std::string& to) override {
    if (target()->FileExists(from)) return target()->RenameFile(from, to);
    std::vector<std::string> files;
    leveldb::Status status = target()->GetChildren(from, &files);
    if (status.ok() && files.empty()) status = leveldb::Status::IOError(from, "is not there");
    for (const std::string& file : files) {
      if (!status.ok()) break;
      status = target()->RenameFile(absl::StrCat(from, "/", file), absl::StrCat(to, "/", file));
    }
    return status;
  }
};

// Once it is cut off, nothing is written any more: so the end of a store, which syncs, changes
// nothing that the disk holds.
class CutOffEnv final : public leveldb::EnvWrapper {
 public:
  explicit CutOffEnv(leveldb::Env* base) : EnvWrapper(base) {}

  void CutOff() { cut_off_ = true; }

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override {
    if (cut_off_) return Refusal();
    return target()->NewWritableFile(name, file);
  }
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override {
    return cut_off_ ? Refusal() : target()->RenameFile(from, to);
  }
  leveldb::Status RemoveFile(const std::string& name) override {
    return cut_off_ ? Refusal() : target()->RemoveFile(name);
  }
  leveldb::Status LockFile(const std::string&, leveldb::FileLock** lock) override {
    *lock = new leveldb::FileLock;
    return leveldb::Status::OK();
  }
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override {
    delete lock;
    return leveldb::Status::OK();
  }

 private:
  static leveldb::Status Refusal() { return leveldb::Status::IOError("the process is dead"); }

  std::atomic<bool> cut_off_ = false;  // LevelDB's thread looks at it
};

class LevelDbStore final : public SimStore {
 public:
  LevelDbStore() { Wipe(); }
  ~LevelDbStore() override {
    if (store_ != nullptr) Crash();
  }

  Payload Encode(const Operation& operation) const override {
    Command command;
    switch (operation.kind) {
      case OperationKind::kPut:
        FillPut(operation, command.mutable_put());
        break;
      case OperationKind::kDelete:
        command.mutable_delete_range()->set_key(NameOf(operation.key));
        break;
      case OperationKind::kCompareAndSet:
        FillTxn(operation, command.mutable_txn());
        break;
      case OperationKind::kCompact:
        command.mutable_compaction()->set_revision(operation.revision);
        break;
      case OperationKind::kGrant:
        command.mutable_lease_grant()->set_id(operation.lease.value());
        command.mutable_lease_grant()->set_ttl(operation.ttl_seconds);
        break;
      case OperationKind::kRevoke:
        command.mutable_lease_revocation()->set_id(operation.lease.value());
        command.mutable_lease_revocation()->set_leader_term(operation.leader_term.value());
        break;
      case OperationKind::kCheckpoint:
        FillCheckpoints(operation, command.mutable_lease_checkpoints());
        break;
      case OperationKind::kRead:
        CHECK(false) << "a read is no command";
    }
    FillConditions(operation, &command);
    std::string bytes = command.SerializeAsString();
    AppendPadding(operation.padding_bytes, &bytes);
    return WithOperation(std::move(bytes), operation.id);
  }

  Effect EffectOf(const ApplyResult& applied) const override {
    const auto& result = static_cast<const kv::KvResult&>(applied);
    if (!result.status.ok()) {
      CHECK(IsRefusal(result.status)) << result.status;
      return kNoEffect;
    }
    return std::visit(EffectOfResponse(), result.response);
  }

  StateMachine* Open(std::unique_ptr<Executor> scrubber) override {
    scrubber_ = std::move(scrubber);
    env_ = std::make_unique<CutOffEnv>(folders_.get());
    kv::StoreOptions options;
    options.block_cache_bytes = 1 << 20;
    options.write_buffer_bytes = 64 << 20;
    options.env = env_.get();
    options.sync_directory = [](const std::string&) { return leveldb::Status::OK(); };
    options.on_disk_failure = [](const std::string&) {};
    options.scrub_executor = scrubber_.get();
    auto store = kv::KvStore::Open(kDir, options);
    CHECK(store.ok()) << store.status();
    store_ = *std::move(store);
    return store_.get();
  }

  LogIndex BeganAs() const override { return store_->began_as(); }
  void Wipe() override {
    env_.reset();
    files_.reset(leveldb::NewMemEnv(leveldb::Env::Default()));
    folders_ = std::make_unique<FolderEnv>(files_.get());
  }
  void Sync() override {
    const absl::Status synced = store_->Sync();
    CHECK(synced.ok()) << synced;
  }
  void Close() override {
    store_.reset();
    scrubber_.reset();  // its tasks may hold a database that was replaced
  }
  void CutOff() override { env_->CutOff(); }
  void Crash() override {
    CutOff();
    Close();
  }

  kv::KvStore* kv_store() override { return store_.get(); }

  ReadResult Read(KeyId key) const override {
    const auto view = store_->View();
    etcdserverpb::RangeRequest request;
    request.set_key(NameOf(key));
    etcdserverpb::RangeResponse response;
    const absl::Status read = view->Range(request, &response);
    CHECK(read.ok()) << read;
    return {view->applied().index,
            response.kvs().empty() ? kAbsent : ValueOf(response.kvs(0).value())};
  }

  StateModel Contents() const override {
    const auto view = store_->View();
    etcdserverpb::RangeRequest request;
    request.set_key(std::string(1, '\0'));
    request.set_range_end(std::string(1, '\0'));
    etcdserverpb::RangeResponse response;
    const absl::Status read = view->Range(request, &response);
    CHECK(read.ok()) << read;
    StateModel contents;
    contents.mutable_keys()->set_revision(view->revision().value());
    for (const mvccpb::KeyValue& kv : response.kvs()) {
      const KeyId key = KeyOf(kv.key());
      contents.mutable_keys()->At(key) = {.value = ValueOf(kv.value()),
                                          .create_revision = kv.create_revision(),
                                          .mod_revision = kv.mod_revision(),
                                          .version = kv.version()};
      contents.Attach(key, LeaseId(kv.lease()));
    }
    contents.SetCompacted(view->compacted().value());
    const absl::Status leases =
        kv::ForEachLease(view->records(), [&](LeaseId lease, const kv::LeaseState& state) {
          contents.SetLease(lease, {state.granted_ttl_seconds, state.remaining_ttl_seconds});
          CheckAttachments(*view, lease, contents);
        });
    CHECK(leases.ok()) << leases;
    return contents;
  }

  std::optional<StateMark> Mark() const override {
    const auto view = store_->View();
    return StateMark{.revision = view->revision().value(),
                     .compacted = view->compacted().value(),
                     .digest = view->digest().value()};
  }

 private:
  // The revision that a response tells, and whether it tells of a change.
  struct EffectOfResponse {
    Effect operator()(const etcdserverpb::DeleteRangeResponse& response) const {
      return {response.deleted() != 0, response.header().revision()};
    }
    Effect operator()(const etcdserverpb::TxnResponse& response) const {
      return {response.succeeded(), response.header().revision()};
    }
    Effect operator()(std::monostate) const { return kNoEffect; }
    template <typename Response>
    Effect operator()(const Response& response) const {
      return {true, response.header().revision()};
    }
  };

  // Whether the command was one that may be refused, and was.
  static bool IsRefusal(const absl::Status& status) {
    return kv::Is(status, kv::kErrCompacted) || kv::Is(status, kv::kErrFutureRev) ||
           kv::Is(status, kv::kErrLeaseNotFound) || kv::Is(status, kv::kErrLeaseExist) ||
           kv::Is(status, kv::kErrOnceSessionNotFound) || kv::Is(status, kv::kErrOnceForgotten) ||
           kv::Is(status, kv::kErrFenced) ||
           absl::IsFailedPrecondition(status);  // of a leader that leads no more
  }

  // A key knows its lease, and a lease its keys.
  static void CheckAttachments(const kv::ReadView& view, LeaseId lease,
                               const StateModel& contents) {
    size_t keys = 0;
    const absl::Status listed =
        kv::ForEachAttachedKey(view.records(), lease, [&](std::string_view name) {
          CHECK_EQ(contents.LeaseOf(KeyOf(std::string(name))), lease) << name;
          ++keys;
        });
    CHECK(listed.ok()) << listed;
    for (uint32_t key = 0; key < kKeysMax; ++key) keys -= contents.LeaseOf(KeyId(key)) == lease;
    CHECK_EQ(keys, 0u) << "keys of lease " << lease;
  }

  static void AppendPadding(size_t padding_bytes, std::string* command) {
    CHECK_LE(padding_bytes, kPaddingMax);
    command->append(kPaddingTag);
    command->push_back(static_cast<char>(padding_bytes % 128 + 128));
    command->push_back(static_cast<char>(padding_bytes / 128));
    command->append(padding_bytes, 'x');
  }

  static void FillPut(const Operation& operation, etcdserverpb::PutRequest* put) {
    put->set_key(NameOf(operation.key));
    put->set_value(TextOf(operation.value));
    put->set_lease(operation.lease.value());
  }

  static void FillConditions(const Operation& operation, Command* command) {
    if (const WriteName& name = operation.name; name.session != kNoLease) {
      storage::v1::WriteConditions* const conditions = command->mutable_conditions();
      v1::Once* const once = conditions->mutable_options()->mutable_once();
      once->set_session(name.session.value());
      once->set_sequence(name.sequence);
      once->set_answered_below(name.answered_below);
      conditions->set_fingerprint(name.original.value());
    }
    if (const Fence& fence = operation.fence; fence.create_revision != 0) {
      v1::Fence* const message = command->mutable_conditions()->mutable_options()->mutable_fence();
      message->set_key(NameOf(fence.key));
      message->set_create_revision(fence.create_revision);
    }
  }

  static void FillCheckpoints(const Operation& operation, storage::v1::LeaseCheckpoints* message) {
    message->set_leader_term(operation.leader_term.value());
    for (const LeaseCheckpoint& checkpoint : operation.checkpoints) {
      etcdserverpb::LeaseCheckpoint* const added = message->add_checkpoints();
      added->set_id(checkpoint.lease.value());
      added->set_remaining_ttl(checkpoint.remaining_seconds);
    }
  }

  static void FillTxn(const Operation& operation, etcdserverpb::TxnRequest* txn) {
    etcdserverpb::Compare* const compare = txn->add_compare();
    compare->set_key(NameOf(operation.key));
    compare->set_result(etcdserverpb::Compare::EQUAL);
    if (operation.expected == kAbsent) {
      compare->set_target(etcdserverpb::Compare::VERSION);
      compare->set_version(0);
    } else {
      compare->set_target(etcdserverpb::Compare::VALUE);
      compare->set_value(TextOf(operation.expected));
    }
    FillPut(operation, txn->add_success()->mutable_request_put());
  }

  std::unique_ptr<leveldb::Env> files_;
  std::unique_ptr<FolderEnv> folders_;
  // Of this life.
  std::unique_ptr<CutOffEnv> env_;
  std::unique_ptr<Executor> scrubber_;  // may be null
  std::unique_ptr<kv::KvStore> store_;
};

}  // namespace

std::string NameOf(KeyId key) { return absl::StrCat("key-", key.value()); }

KeyId KeyOf(const std::string& name) {
  uint32_t key = 0;
  CHECK(name.starts_with("key-") && absl::SimpleAtoi(name.substr(4), &key)) << name;
  return KeyId(key);
}

Value ValueOf(const std::string& text) {
  uint64_t value = 0;
  CHECK(absl::SimpleAtoi(text, &value)) << text;
  return Value(value);
}

Payload WithOperation(std::string command, OperationId id) {
  command.append(kOperationTag);
  const uint64_t number = id.value();
  command.append(reinterpret_cast<const char*>(&number), sizeof(number));
  return std::make_shared<const std::string>(std::move(command));
}

std::unique_ptr<SimStore> NewLevelDbStore() { return std::make_unique<LevelDbStore>(); }

}  // namespace pontoon::sim
