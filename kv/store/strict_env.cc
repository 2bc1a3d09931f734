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

bool IsLog(const std::string& name) { return absl::EndsWith(name, ".log"); }

// LevelDB's log: written, and never to be read.
class ForgottenFile : public leveldb::WritableFile {
 public:
  leveldb::Status Append(const leveldb::Slice&) override { return leveldb::Status::OK(); }
  leveldb::Status Flush() override { return leveldb::Status::OK(); }
  leveldb::Status Sync() override { return leveldb::Status::OK(); }
  leveldb::Status Close() override { return leveldb::Status::OK(); }
};

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

  leveldb::Status Append(const leveldb::Slice& data) override {
    return env_->Require(base_->Append(data), "append to", name_);
  }
  // LevelDB asks for this after each block of a table, which is a system call for every 4 KiB; but
  // it trusts no file that it has not synced.
  leveldb::Status Flush() override { return leveldb::Status::OK(); }
  leveldb::Status Sync() override { return env_->Require(base_->Sync(), "sync", name_); }
  leveldb::Status Close() override { return env_->Require(base_->Close(), "close", name_); }

 private:
  const StrictEnv* env_;
  const std::string name_;
  const std::unique_ptr<leveldb::WritableFile> base_;
};

StrictEnv::StrictEnv(leveldb::Env* base, DirectorySync sync_directory,
                     DiskFailureHandler on_failure)
    : EnvWrapper(base),
      sync_directory_(std::move(sync_directory)),
      on_failure_(std::move(on_failure)) {}

leveldb::Status StrictEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** file) {
  if (IsLog(name)) {
    *file = new ForgottenFile;
    return leveldb::Status::OK();
  }
  *file = nullptr;
  leveldb::WritableFile* base = nullptr;
  leveldb::Status status = target()->NewWritableFile(name, &base);
  if (status.ok()) *file = new File(this, name, base);
  return status;  // LevelDB remembers a failure, and stops
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
