#include "kv/store/kv_snapshot.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "kv/store/member_records.h"
#include "kv/store/meta.h"
#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

constexpr size_t kBatchBytes = 1 << 20;

absl::Status NoSuchState(absl::string_view why) {
  return absl::DataLossError(absl::StrCat("the snapshot cannot be used: ", why));
}

}  // namespace

// ---- KvSnapshotSource

KvSnapshotSource::KvSnapshotSource(std::shared_ptr<const ReadView> view)
    : view_(std::move(view)), records_(view_->records().NewIterator()), writer_(view_->applied()) {
  records_->Seek("");
}

absl::StatusOr<std::string> KvSnapshotSource::Read(size_t bytes_max) {
  CHECK_GT(bytes_max, 0u);
  while (writer_.ready_bytes() < bytes_max && !writer_.ended()) {
    if (records_->Valid()) {
      writer_.Add(records_->key(), records_->value());
      records_->Next();
    } else {
      if (absl::Status status = records_->status(); !status.ok()) return status;
      writer_.End();
    }
  }
  return writer_.Take(bytes_max);
}

// ---- KvSnapshotSink

absl::StatusOr<std::unique_ptr<KvSnapshotSink>> KvSnapshotSink::Begin(
    std::shared_ptr<StateFolder> folder, LogPosition position) {
  absl::StatusOr<std::unique_ptr<Database>> incoming = folder->BeginIncoming(position.index);
  if (!incoming.ok()) return incoming.status();
  return std::unique_ptr<KvSnapshotSink>(
      new KvSnapshotSink(std::move(folder), position, *std::move(incoming)));
}

KvSnapshotSink::KvSnapshotSink(std::shared_ptr<StateFolder> folder, LogPosition position,
                               std::shared_ptr<Database> incoming)
    : folder_(std::move(folder)),
      position_(position),
      reader_(position),
      incoming_(std::move(incoming)) {}

KvSnapshotSink::~KvSnapshotSink() {
  incoming_.reset();
  if (finished_.has_value()) finished_->database->RetireWhenClosed();
  if (!committed_) folder_->RemoveIncoming(position_.index);
}

absl::Status KvSnapshotSink::Write(std::string_view bytes) {
  if (!status_.ok()) return status_;
  status_ = reader_.Read(bytes, [this](std::string_view key, std::string_view value) {
    batch_.Put({key.data(), key.size()}, {value.data(), value.size()});
  });
  if (status_.ok() && batch_.ApproximateSize() >= kBatchBytes) status_ = WriteBatch();
  return status_;
}

absl::Status KvSnapshotSink::Finish() {
  CHECK(!committed_) << "finished twice";
  if (status_.ok()) status_ = TryFinish();
  return status_;
}

absl::StatusOr<std::string> KvSnapshotSink::Membership() const {
  CHECK(finished_.has_value()) << "not finished, or taken before";
  return ReadMembership(SnapshotReader(finished_->database));
}

Generation KvSnapshotSink::TakeGeneration() {
  CHECK(finished_.has_value()) << "not finished, or taken before";
  Generation generation = *std::move(finished_);
  finished_.reset();
  return generation;
}

absl::Status KvSnapshotSink::WriteBatch() {
  absl::Status written = incoming_->Write(&batch_);
  batch_.Clear();
  return written;
}

absl::Status KvSnapshotSink::CheckRecords() const {
  const SnapshotReader records(incoming_);
  absl::StatusOr<StoreMeta> meta = ReadMeta(records);
  if (!meta.ok()) return NoSuchState(meta.status().message());
  if (!(meta->applied == position_)) return NoSuchState("its records are of another position");
  absl::StatusOr<EventId> scrubbed = ReadScrubbed(records);
  if (!scrubbed.ok()) return NoSuchState(scrubbed.status().message());
  absl::StatusOr<std::string> membership = ReadMembership(records);
  if (!membership.ok()) return NoSuchState(membership.status().message());
  return absl::OkStatus();
}

absl::Status KvSnapshotSink::TryFinish() {
  if (absl::Status status = reader_.Finish(); !status.ok()) return status;
  if (absl::Status status = WriteBatch(); !status.ok()) return status;
  if (absl::Status status = CheckRecords(); !status.ok()) return status;
  if (absl::Status status = incoming_->Sync(); !status.ok()) return status;
  incoming_.reset();
  absl::StatusOr<Generation> generation = folder_->Commit(position_.index);
  if (!generation.ok()) return generation.status();
  committed_ = true;
  finished_ = *std::move(generation);
  return absl::OkStatus();
}

}  // namespace pontoon::kv
