#include "cmd/pontoon/restore.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/data_folder.h"
#include "cmd/pontoon/identity.h"
#include "cmd/pontoon/random.h"
#include "cmd/pontoon/storage.h"
#include "kv/store/state_digest.h"
#include "raft/storage/segmented_log.h"

namespace pontoon {
namespace {

constexpr size_t kChunkBytes = 1 << 20;

// What tells a state from others, and from the same one at another revision. Never 0.
uint64_t FingerprintOf(const kv::StoreMeta& meta, const kv::AdoptionOptions& options) {
  kv::StateDigest digest = meta.digest;
  for (const uint64_t number : {meta.applied.index.value(), meta.applied.term.value(),
                                static_cast<uint64_t>(options.revisions_skipped),
                                static_cast<uint64_t>(options.compacted)}) {
    digest.Mix(number);
  }
  return std::max<uint64_t>(digest.value(), 1);
}

absl::Status CheckSettings(const Config& config, const kv::StoreMeta& meta) {
  if (config.initial_cluster.state == ClusterState::kExisting) {
    return absl::InvalidArgumentError(
        "a cluster that begins with a snapshot is a new one: leave out --initial-cluster-state");
  }
  if (meta.applied.index == LogIndex()) {
    return absl::InvalidArgumentError("the snapshot is of a member that had nothing yet");
  }
  return absl::OkStatus();
}

// The state becomes that of the snapshot.
absl::Status FillState(const std::string& path, const kv::AdoptionOptions& options,
                       SnapshotSource* snapshot) {
  auto store = kv::KvStore::Open(path, {});
  if (!store.ok()) return store.status();
  auto sink = (*store)->BeginSnapshot(snapshot->position());
  if (!sink.ok()) return sink.status();
  kv::SnapshotAdoption adoption(snapshot->position(), options, sink->get());
  for (;;) {
    const absl::StatusOr<std::string> bytes = snapshot->Read(kChunkBytes);
    if (!bytes.ok()) return bytes.status();
    if (bytes->empty()) break;
    if (absl::Status s = adoption.Write(*bytes); !s.ok()) return s;
  }
  if (absl::Status s = adoption.Finish(); !s.ok()) return s;
  return (*store)->Install(*std::move(sink));
}

// The log begins after the state, in its term, as if this member had got it from a leader. So one
// that joins later has to get it, too: there is no log from the beginning.
absl::Status BeginLog(FileSystem* fs, const std::string& path, LogPosition position) {
  raft::RecoveredLog nothing;
  auto log = raft::OpenSegmentedLog(fs, path, {}, &nothing);
  if (!log.ok()) return log.status();
  PersistBatch batch;
  batch.hard_state = HardState{position.term, kNoNode};
  batch.reset_to = position;
  return (*log)->Write(std::span(&batch, 1));
}

}  // namespace

absl::Status RestoreMember(FileSystem* fs, const Settings& settings, const kv::StoreMeta& meta,
                           const kv::AdoptionOptions& options, SnapshotSource* snapshot) {
  const absl::StatusOr<Config> config = MakeConfig(settings);
  if (!config.ok()) return config.status();
  if (absl::Status s = CheckSettings(*config, meta); !s.ok()) return s;

  const std::string state = DataFolder::StatePathIn(config->data_dir);
  const std::string log = DataFolder::LogPathIn(config->data_dir);
  bool is_new = false;
  // Is called for an empty folder, before that is said to be anybody's.
  const auto make = [&](const Config&) -> absl::StatusOr<Newcomer> {
    is_new = true;
    absl::Status filled = FillState(state, options, snapshot);
    if (filled.ok()) filled = BeginLog(fs, log, snapshot->position());
    if (!filled.ok()) return filled;
    return Newcomer{MakeFounder(config->name, config->initial_cluster, RandomBits(),
                                FingerprintOf(meta, options))};
  };
  const absl::StatusOr<DataFolder> folder = DataFolder::Open(fs, *config, make);
  if (!folder.ok()) {
    for (const std::string& path : {state, log}) {
      if (is_new) RemoveTree(fs, path).IgnoreError();  // the error before says more
    }
    return folder.status();
  }
  if (!is_new) {
    return absl::FailedPreconditionError(
        absl::StrCat("data folder ", folder->path(), " belongs to member ", folder->identity().name,
                     " already: choose an empty one with --data-dir"));
  }
  // What the server will do.
  return OpenStorage(fs, *folder, {}).status();
}

}  // namespace pontoon
