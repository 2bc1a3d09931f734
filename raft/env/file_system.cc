#include "raft/env/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pontoon {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirMode = 0700;

// "write /data/log at byte 64: No space left on device".
absl::Status ErrorFrom(int error, absl::string_view operation, absl::string_view path) {
  return absl::ErrnoToStatus(error, absl::StrCat(operation, " ", path));
}

// Repeats a system call that a signal interrupted.
template <typename Call>
auto Retrying(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result == -1 && errno == EINTR);
  return result;
}

// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ != -1) close(fd_);
  }

  int get() const { return fd_; }

 private:
  int fd_;
};

absl::StatusOr<Descriptor> Open(const std::string& path, int flags) {
  Descriptor fd(Retrying([&] { return open(path.c_str(), flags | O_CLOEXEC, kFileMode); }));
  if (fd.get() == -1) return ErrorFrom(errno, "open", path);
  return fd;
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  absl::StatusOr<size_t> ReadAt(uint64_t offset, std::span<char> out) const override {
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = Retrying([&] {
        return pread(fd_.get(), out.data() + done, out.size() - done,
                     static_cast<off_t>(offset + done));
      });
      if (n == -1) return ErrorFrom(errno, "read", Place(offset + done));
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }

  absl::Status WriteAt(uint64_t offset, absl::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = Retrying([&] {
        return pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      });
      if (n <= 0) return ErrorFrom(n == 0 ? EIO : errno, "write", Place(offset));
      offset += static_cast<uint64_t>(n);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return absl::OkStatus();
  }

  absl::Status Preallocate(uint64_t bytes) override {
    int error;  // returned, not left in errno
    do {
      error = posix_fallocate(fd_.get(), 0, static_cast<off_t>(bytes));
    } while (error == EINTR);
    if (error != 0) return ErrorFrom(error, absl::StrCat("reserve ", bytes, " bytes for"), path_);
    return absl::OkStatus();
  }

  absl::Status Truncate(uint64_t bytes) override {
    if (Retrying([&] { return ftruncate(fd_.get(), static_cast<off_t>(bytes)); }) == -1) {
      return ErrorFrom(errno, "truncate", path_);
    }
    return absl::OkStatus();
  }

  // fdatasync covers the size too. Not repeated on any error, EINTR included: what happened to the
  // pages is unknown then.
  absl::Status Sync() override {
    if (fdatasync(fd_.get()) == -1) return ErrorFrom(errno, "sync", path_);
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() const override {
    struct stat info;
    if (fstat(fd_.get(), &info) == -1) return ErrorFrom(errno, "stat", path_);
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  std::string Place(uint64_t offset) const { return absl::StrCat(path_, " at byte ", offset); }

  const Descriptor fd_;
  const std::string path_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  const Descriptor fd_;  // closing it releases the lock
};

class PosixFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<File>> CreateFile(const std::string& path) override {
    return OpenWith(path, O_RDWR | O_CREAT | O_EXCL);
  }

  absl::StatusOr<std::unique_ptr<File>> OpenFile(const std::string& path) override {
    return OpenWith(path, O_RDWR);
  }

  absl::StatusOr<uint64_t> FileSize(const std::string& path) const override {
    struct stat info;
    if (stat(path.c_str(), &info) == -1) return ErrorFrom(errno, "stat", path);
    return static_cast<uint64_t>(info.st_size);
  }

  absl::StatusOr<bool> Exists(const std::string& path) const override {
    struct stat info;
    if (stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT) return false;
    return ErrorFrom(errno, "stat", path);
  }

  absl::Status CreateDir(const std::string& path) override {
    if (mkdir(path.c_str(), kDirMode) == 0) return absl::OkStatus();
    const int error = errno;
    struct stat info;
    if (error == EEXIST && stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      return absl::OkStatus();
    }
    return ErrorFrom(error, "create folder", path);
  }

  absl::StatusOr<std::vector<std::string>> ListDir(const std::string& path) const override {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(path.c_str()), &closedir);
    if (dir == nullptr) return ErrorFrom(errno, "list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(dir.get())) {
      const absl::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) return ErrorFrom(errno, "list", path);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status SyncDir(const std::string& path) override {
    const absl::StatusOr<Descriptor> fd = Open(path, O_RDONLY | O_DIRECTORY);
    if (!fd.ok()) return fd.status();
    if (fsync(fd->get()) == -1) return ErrorFrom(errno, "sync folder", path);
    return absl::OkStatus();
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
    return ErrorFrom(errno, "rename", absl::StrCat(from, " to ", to));
  }

  absl::Status Remove(const std::string& path) override {
    if (remove(path.c_str()) == 0) return absl::OkStatus();
    return ErrorFrom(errno, "remove", path);
  }

  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    absl::StatusOr<Descriptor> fd = Open(path, O_RDWR | O_CREAT);
    if (!fd.ok()) return fd.status();
    if (Retrying([&] { return flock(fd->get(), LOCK_EX | LOCK_NB); }) == 0) {
      return std::make_unique<PosixFileLock>(*std::move(fd));
    }
    if (errno != EWOULDBLOCK) return ErrorFrom(errno, "lock", path);
    return absl::FailedPreconditionError(absl::StrCat("lock ", path, ": in use"));
  }

 private:
  static absl::StatusOr<std::unique_ptr<File>> OpenWith(const std::string& path, int flags) {
    absl::StatusOr<Descriptor> fd = Open(path, flags);
    if (!fd.ok()) return fd.status();
    return std::make_unique<PosixFile>(*std::move(fd), path);
  }
};

}  // namespace

FileSystem* FileSystem::Posix() {
  static PosixFileSystem* const fs = new PosixFileSystem;
  return fs;
}

std::string JoinPath(absl::string_view dir, absl::string_view name) {
  return absl::StrCat(dir, absl::EndsWith(dir, "/") ? "" : "/", name);
}

std::string DirName(absl::string_view path) {
  while (path.size() > 1 && absl::EndsWith(path, "/")) path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<size_t>(slash, 1)));
}

absl::Status RemoveTree(FileSystem* fs, const std::string& path) {
  const absl::StatusOr<bool> exists = fs->Exists(path);
  if (!exists.ok() || !*exists) return exists.status();
  if (const auto names = fs->ListDir(path); names.ok()) {
    for (const std::string& name : *names) {
      if (absl::Status s = RemoveTree(fs, JoinPath(path, name)); !s.ok()) return s;
    }
  }
  return fs->Remove(path);
}

absl::StatusOr<std::string> ReadAll(const File& file) {
  const absl::StatusOr<uint64_t> size = file.Size();
  if (!size.ok()) return size.status();
  std::string bytes(*size, '\0');
  const absl::StatusOr<size_t> read = file.ReadAt(0, bytes);
  if (!read.ok()) return read.status();
  bytes.resize(*read);
  return bytes;
}

absl::Status ReplaceFile(FileSystem* fs, const std::string& path, absl::string_view contents) {
  const std::string temporary = absl::StrCat(path, ".tmp");
  const absl::StatusOr<bool> left_over = fs->Exists(temporary);
  if (!left_over.ok()) return left_over.status();
  if (*left_over) {
    if (absl::Status s = fs->Remove(temporary); !s.ok()) return s;
  }
  absl::StatusOr<std::unique_ptr<File>> file = fs->CreateFile(temporary);
  if (!file.ok()) return file.status();
  if (absl::Status s = (*file)->WriteAt(0, contents); !s.ok()) return s;
  if (absl::Status s = (*file)->Sync(); !s.ok()) return s;
  if (absl::Status s = fs->Rename(temporary, path); !s.ok()) return s;
  return fs->SyncDir(DirName(path));
}

}  // namespace pontoon
