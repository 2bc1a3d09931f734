// FaultyFileSystem: a disk in memory that does what disks do at the worst time.

#ifndef PONTOON_RAFT_ENV_TESTING_FAULTY_FILE_SYSTEM_H_
#define PONTOON_RAFT_ENV_TESTING_FAULTY_FILE_SYSTEM_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "raft/base/prng.h"
#include "raft/env/file_system.h"

namespace pontoon {

// Keeps apart what was synced and what was only written, loses the latter in a crash, and makes
// single operations fail. Stricter than most real file systems, as strict as POSIX: the sync of a
// file does not make its name durable.
//
// Every operation that changes something (write, truncation, preallocation, sync of a file or of a
// folder, create, rename, remove) is a step; steps are counted, so that a test can cut the power at
// each of them in turn:
//
//   for (int steps = 0; !finished; ++steps) {
//     ... bring `disk` into the state before ...
//     disk.CutPowerAfter(steps);
//     finished = DoSomething(&disk).ok();
//     disk.Crash(Unsynced::kLost);
//     ... whatever was acknowledged must be there ...
//   }
//
// Thread safety: as FileSystem and File demand. Faults are set and crashes made while no other call
// runs.
class FaultyFileSystem final : public FileSystem {
 public:
  // What a crash does to what was not synced.
  enum class Unsynced {
    kLost,
    kKept,
    // Each write is kept, lost, or torn at its sectors (of 512 bytes), and each change of a folder
    // kept or lost, by the seed and independently of the others.
    kScattered,
  };

  FaultyFileSystem();
  ~FaultyFileSystem() override;

  // Lets `steps` more steps succeed. The one after them is done halfway (it counts as done and not
  // synced) and fails, and everything after it fails, until Crash.
  void CutPowerAfter(uint64_t steps);

  // The process and the machine die and come back: open files are dead, locks are gone, faults are
  // cleared. `seed` is for kScattered.
  void Crash(Unsynced unsynced, uint64_t seed = 0);

  // Only the process dies: what was written and not synced can still be read, and is still not
  // durable.
  void RestartProcess();

  // The write, or sync of a file, after the next `successes` ones fails, once. A failed write has
  // no effect. A failed sync drops what it should have kept when the next crash comes, and a later
  // sync does not bring it back: what Linux does.
  void FailWriteAfter(uint64_t successes);
  void FailSyncAfter(uint64_t successes);

  // All files together may grow by `bytes` more. What needs more than that fails with
  // RESOURCE_EXHAUSTED and has no effect, the creation of a file too once there is no space at all.
  // What overwrites does not need any. Lasts over crashes, until MakeSpace or ClearFaults.
  void LimitSpace(uint64_t bytes);
  void MakeSpace();

  // Counted from the beginning.
  uint64_t steps() const;
  uint64_t writes() const;
  uint64_t syncs() const;  // of files
  uint64_t truncations() const;

  // Whether a fault has struck, or is set and has not yet, since the last Crash or RestartProcess.
  bool faulty() const;
  bool power_is_off() const;
  // Takes back the faults that have not struck.
  void ClearFaults();

  // Reads, and replaces durably, the bytes of a file: for what bit rot and careless people do.
  std::string Contents(const std::string& path) const;
  void SetContents(const std::string& path, std::string bytes);
  // Flips one bit, durably, of what is in the file, counted from its beginning.
  void FlipBit(const std::string& path, uint64_t bit);

  absl::StatusOr<std::unique_ptr<File>> CreateFile(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<File>> OpenFile(const std::string& path) override;
  absl::StatusOr<uint64_t> FileSize(const std::string& path) const override;
  absl::StatusOr<bool> Exists(const std::string& path) const override;
  absl::Status CreateDir(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> ListDir(const std::string& path) const override;
  absl::Status SyncDir(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override;

 private:
  class OpenedFile;
  class HeldLock;

  // A change of a file that was not synced: `bytes` at `offset`, or, without bytes, a new size.
  struct Change {
    uint64_t offset = 0;
    std::string bytes = {};
    uint64_t size = 0;
  };
  // A file or a folder, independent of its name.
  struct Inode {
    bool is_dir = false;
    std::string current;
    std::string durable;
    std::vector<Change> unsynced;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  // A change of one or two names that was not synced: `removed` goes, `added` comes; either may be
  // empty.
  struct NameChange {
    std::string removed;
    std::string added;
    std::shared_ptr<Inode> inode;
  };
  enum class Step { kDone, kCut };

  // The following are called under mutex_.
  void BeginLife();
  absl::Status BeginStep(Step* step);
  absl::Status CheckPower() const;
  absl::StatusOr<std::shared_ptr<Inode>> Find(const std::string& path) const;
  absl::Status CheckParent(const std::string& path) const;
  absl::Status ChangeNames(NameChange change);
  absl::Status ChangeFile(Inode* inode, Change change);
  uint64_t UsedSpace() const;
  absl::Status TakeSpace(uint64_t bytes);
  absl::Status SyncFile(Inode* inode);
  static void Apply(const Change& change, std::string* bytes);
  static void Apply(const NameChange& change, Names* names);
  static void Scatter(const Change& change, Prng* prng, std::string* bytes);

  mutable std::mutex mutex_;
  Names current_;
  Names durable_;
  std::vector<NameChange> unsynced_names_;
  std::set<std::string> locked_;
  uint64_t life_ = 0;  // of the process; files opened in an earlier one are dead
  uint64_t steps_ = 0;
  uint64_t writes_ = 0;
  uint64_t syncs_ = 0;
  uint64_t truncations_ = 0;
  // The values of the counters at which a fault comes.
  uint64_t cut_at_ = UINT64_MAX;
  uint64_t fail_write_at_ = UINT64_MAX;
  uint64_t fail_sync_at_ = UINT64_MAX;
  uint64_t space_ = UINT64_MAX;  // what all files together may have
  bool space_lacked_ = false;    // in this life
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_ENV_TESTING_FAULTY_FILE_SYSTEM_H_
