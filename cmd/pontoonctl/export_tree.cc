#include "cmd/pontoonctl/export_tree.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/pontoonctl/relative_path.h"

namespace pontoon::ctl {
namespace {

constexpr mode_t kDirectoryMode = 0777;  // less the umask
constexpr mode_t kFileMode = 0666;

absl::Status Failed(absl::string_view what) {
  return absl::UnknownError(absl::StrCat(what, ": ", std::strerror(errno)));
}

}  // namespace

class ExportTree::Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

  // False on a write error, or one that shows at closing.
  bool WriteAndClose(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      bytes.remove_prefix(written);
    }
    return close(std::exchange(fd_, -1)) == 0;
  }

  // Whether the file is a regular one with exactly these bytes.
  bool HasContent(absl::string_view bytes) const {
    struct stat info;
    if (fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) return false;
    if (static_cast<uint64_t>(info.st_size) != bytes.size()) return false;
    char buffer[1 << 16];
    for (;;) {
      const ssize_t length = read(fd_, buffer, sizeof(buffer));
      if (length < 0 && errno == EINTR) continue;
      if (length < 0) return false;
      if (length == 0) return bytes.empty();
      const auto chunk = absl::string_view(buffer, length);
      if (chunk != bytes.substr(0, chunk.size())) return false;
      bytes.remove_prefix(chunk.size());
    }
  }

 private:
  int fd_;
};

absl::StatusOr<std::unique_ptr<ExportTree>> ExportTree::Open(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  const int root = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return Failed(directory);
  if (flock(root, LOCK_EX | LOCK_NB) != 0) {
    close(root);
    return absl::UnavailableError(absl::StrCat(directory, ": another export is writing to it"));
  }
  return std::unique_ptr<ExportTree>(new ExportTree(directory, root));
}

ExportTree::~ExportTree() { close(root_); }

absl::StatusOr<ExportTree::Descriptor> ExportTree::OpenParent(
    const std::vector<std::string>& components) {
  Descriptor parent(dup(root_));
  if (!parent.ok()) return Failed(directory_);
  for (size_t i = 0; i + 1 < components.size(); ++i) {
    const char* name = components[i].c_str();
    if (mkdirat(parent.get(), name, kDirectoryMode) != 0 && errno != EEXIST) {
      return Failed(absl::StrCat("cannot make the directory ", components[i]));
    }
    Descriptor child(openat(parent.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!child.ok()) {
      const std::string way(absl::StrJoin(components.begin(), components.begin() + i + 1, "/"));
      if (errno == ENOTDIR || errno == ELOOP) {
        return absl::FailedPreconditionError(
            absl::StrCat(directory_, "/", way, " is a file or a link, not a directory"));
      }
      return Failed(absl::StrCat(directory_, "/", way));
    }
    parent = std::move(child);
  }
  return parent;
}

absl::StatusOr<ExportTree::Stored> ExportTree::Store(absl::string_view path,
                                                     absl::string_view bytes) {
  const auto components = SplitRelativePath(path);
  if (!components.ok()) return components.status();
  const absl::StatusOr<Descriptor> parent = OpenParent(*components);
  if (!parent.ok()) return parent.status();
  const int at = parent->get();
  const char* name = components->back().c_str();

  // O_NONBLOCK: should a pipe lie there, do not wait for its writer.
  const Descriptor present(openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (present.ok() && present.HasContent(bytes)) return Stored::kWasEqual;

  unlinkat(at, kPartialFileName, 0);
  Descriptor partial(openat(at, kPartialFileName,
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  const std::string full_name = absl::StrCat(directory_, "/", path);
  if (!partial.ok()) return Failed(full_name);
  if (partial.WriteAndClose(bytes) && renameat(at, kPartialFileName, at, name) == 0) {
    return Stored::kWritten;
  }
  const absl::Status failure =
      errno == EISDIR ? absl::FailedPreconditionError(absl::StrCat(
                            full_name, " is a directory: other keys are files below it"))
                      : Failed(full_name);
  unlinkat(at, kPartialFileName, 0);
  return failure;
}

absl::Status ExportTree::Sync() {
  return syncfs(root_) == 0 ? absl::OkStatus() : Failed(directory_);
}

}  // namespace pontoon::ctl
