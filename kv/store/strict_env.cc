#include "kv/store/strict_env.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pontoon::kv {
namespace {

// LevelDB closes a log file with its lock held, so the sync before that must be short: most of the
// file is synced in steps while it is written, when no lock is held.
constexpr size_t kUnsyncedLogBytesMax = 1 << 20;

bool IsLog(const std::string& name) { return absl::EndsWith(name, ".log"); }

std::string DirectoryOf(const std::string& name) {
  size_t slash = name.rfind('/');
  return slash == std::string::npos ? "." : name.substr(0, slash);
}

}  // namespace

void ExitOnDiskFailure(const std::string& what) {
  std::fprintf(stderr, "FATAL: the disk failed, and this process stops: %s\n", what.c_str());
  std::fflush(stderr);
  std::_Exit(EXIT_FAILURE);
}

leveldb::Status SyncSystemDirectory(const std::string& directory) {
  int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return leveldb::Status::IOError(directory, std::strerror(errno));
  leveldb::Status status;
  if (fsync(fd) != 0) status = leveldb::Status::IOError(directory, std::strerror(errno));
  close(fd);
  return status;
}

// A file whose every failure is reported.
class StrictEnv::File : public leveldb::WritableFile {
 public:
  File(const StrictEnv* env, std::string name, leveldb::WritableFile* base)
      : env_(env), name_(std::move(name)), base_(base) {}

  ~File() override { SyncUnsyncedLog(); }

  leveldb::Status Append(const leveldb::Slice& data) override {
    leveldb::Status status = env_->Require(base_->Append(data), "append to", name_);
    unsynced_bytes_ += data.size();
    if (status.ok() && IsLog(name_) && unsynced_bytes_ >= kUnsyncedLogBytesMax) status = Sync();
    return status;
  }

  leveldb::Status Flush() override { return env_->Require(base_->Flush(), "write", name_); }

  leveldb::Status Sync() override {
    leveldb::Status status = env_->Require(base_->Sync(), "sync", name_);
    if (status.ok()) unsynced_bytes_ = 0;
    return status;
  }

  leveldb::Status Close() override {
    SyncUnsyncedLog();
    return env_->Require(base_->Close(), "close", name_);
  }

 private:
  void SyncUnsyncedLog() {
    if (unsynced_bytes_ > 0 && IsLog(name_)) Sync();
  }

  const StrictEnv* env_;
  const std::string name_;
  const std::unique_ptr<leveldb::WritableFile> base_;
  size_t unsynced_bytes_ = 0;
};

StrictEnv::StrictEnv(leveldb::Env* base, DirectorySync sync_directory,
                     DiskFailureHandler on_failure)
    : EnvWrapper(base),
      sync_directory_(std::move(sync_directory)),
      on_failure_(std::move(on_failure)) {}

leveldb::Status StrictEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** file) {
  *file = nullptr;
  leveldb::WritableFile* base = nullptr;
  leveldb::Status status = target()->NewWritableFile(name, &base);
  if (!status.ok()) return status;  // LevelDB remembers this one, and stops
  auto strict = std::make_unique<File>(this, name, base);
  if (IsLog(name)) status = SyncDirectoryOf(name);
  if (status.ok()) *file = strict.release();
  return status;
}

leveldb::Status StrictEnv::NewAppendableFile(const std::string& name,
                                             leveldb::WritableFile** file) {
  *file = nullptr;
  leveldb::WritableFile* base = nullptr;
  leveldb::Status status = target()->NewAppendableFile(name, &base);
  if (status.ok()) *file = new File(this, name, base);
  return status;
}

leveldb::Status StrictEnv::CreateDir(const std::string& name) {
  leveldb::Status status = target()->CreateDir(name);
  if (!status.ok()) return status;  // LevelDB tries without looking whether it is there
  return SyncDirectoryOf(name);
}

leveldb::Status StrictEnv::RenameFile(const std::string& from, const std::string& to) {
  leveldb::Status status = Require(target()->RenameFile(from, to), "rename", from);
  if (!status.ok()) return status;
  return SyncDirectoryOf(to);
}

leveldb::Status StrictEnv::Require(const leveldb::Status& status, const char* action,
                                   const std::string& name) const {
  if (!status.ok()) {
    on_failure_(absl::StrCat("could not ", action, " ", name, ": ", status.ToString()));
  }
  return status;
}

leveldb::Status StrictEnv::SyncDirectoryOf(const std::string& name) const {
  std::string directory = DirectoryOf(name);
  return Require(sync_directory_(directory), "sync the directory", directory);
}

}  // namespace pontoon::kv
