// KvSnapshotSource and KvSnapshotSink: the state of a KvStore on its way to another one.

#ifndef PONTOON_KV_STORE_KV_SNAPSHOT_H_
#define PONTOON_KV_STORE_KV_SNAPSHOT_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/store/read_view.h"
#include "kv/store/snapshot_stream.h"
#include "kv/store/state_folder.h"
#include "leveldb/write_batch.h"
#include "raft/base/snapshot.h"

namespace pontoon::kv {

// All records that a view shows, as a stream (snapshot_stream.h). Those that old versions left
// behind go along where this node has not removed them yet, and with them the record of how far it
// has ("scrubbed"): the other node goes on from there.
class KvSnapshotSource final : public SnapshotSource {
 public:
  explicit KvSnapshotSource(std::shared_ptr<const ReadView> view);

  LogPosition position() const override { return view_->applied(); }
  absl::StatusOr<std::string> Read(size_t bytes_max) override;

 private:
  const std::shared_ptr<const ReadView> view_;
  const std::unique_ptr<RecordIterator> records_;
  SnapshotStreamWriter writer_;
};

// Fills an incoming generation of a StateFolder, and makes it count.
class KvSnapshotSink final : public SnapshotSink {
 public:
  // The errors of StateFolder::BeginIncoming.
  static absl::StatusOr<std::unique_ptr<KvSnapshotSink>> Begin(std::shared_ptr<StateFolder> folder,
                                                               LogPosition position);
  ~KvSnapshotSink() override;

  absl::Status Write(std::string_view bytes) override;
  absl::Status Finish() override;
  absl::StatusOr<std::string> Membership() const override;

  // After Finish, which was OK; once. From then on the generation is the caller's.
  Generation TakeGeneration();

 private:
  KvSnapshotSink(std::shared_ptr<StateFolder> folder, LogPosition position,
                 std::shared_ptr<Database> incoming);

  absl::Status WriteBatch();
  // Whether what was written is the state that it should be.
  absl::Status CheckRecords() const;
  absl::Status TryFinish();

  const std::shared_ptr<StateFolder> folder_;
  const LogPosition position_;
  SnapshotStreamReader reader_;
  leveldb::WriteBatch batch_;
  std::shared_ptr<Database> incoming_;  // null once it is closed
  std::optional<Generation> finished_;  // from Finish until it is taken
  bool committed_ = false;
  absl::Status status_;  // the first error
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_KV_SNAPSHOT_H_
