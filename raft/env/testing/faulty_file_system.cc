#include "raft/env/testing/faulty_file_system.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "raft/base/check.h"

namespace pontoon {
namespace {

constexpr uint64_t kSectorBytes = 512;

absl::Status PowerIsOff() { return absl::UnavailableError("the power is off"); }

absl::Status NotFound(const std::string& path) {
  return absl::NotFoundError(absl::StrCat(path, ": No such file or directory"));
}

}  // namespace

class FaultyFileSystem::OpenedFile final : public File {
 public:
  OpenedFile(FaultyFileSystem* fs, std::shared_ptr<Inode> inode)
      : fs_(fs), life_(fs->life_), inode_(std::move(inode)) {}

  absl::StatusOr<size_t> ReadAt(uint64_t offset, std::span<char> out) const override {
    std::lock_guard lock(fs_->mutex_);
    if (absl::Status s = CheckAlive(); !s.ok()) return s;
    const std::string& bytes = inode_->current;
    if (offset >= bytes.size()) return 0;
    return bytes.copy(out.data(), out.size(), offset);
  }

  absl::Status WriteAt(uint64_t offset, absl::string_view bytes) override {
    std::lock_guard lock(fs_->mutex_);
    if (absl::Status s = CheckAlive(); !s.ok()) return s;
    if (fs_->writes_++ == fs_->fail_write_at_) return absl::UnknownError("injected write error");
    if (absl::Status s = TakeSpaceUpTo(offset + bytes.size()); !s.ok()) return s;
    return fs_->ChangeFile(inode_.get(), Change{.offset = offset, .bytes = std::string(bytes)});
  }

  absl::Status Preallocate(uint64_t bytes) override {
    std::lock_guard lock(fs_->mutex_);
    if (absl::Status s = CheckAlive(); !s.ok()) return s;
    const uint64_t size = std::max<uint64_t>(bytes, inode_->current.size());
    if (absl::Status s = TakeSpaceUpTo(size); !s.ok()) return s;
    return fs_->ChangeFile(inode_.get(), Change{.size = size});
  }

  absl::Status Truncate(uint64_t bytes) override {
    std::lock_guard lock(fs_->mutex_);
    if (absl::Status s = CheckAlive(); !s.ok()) return s;
    ++fs_->truncations_;
    return fs_->ChangeFile(inode_.get(), Change{.size = bytes});
  }

  absl::Status Sync() override {
    std::lock_guard lock(fs_->mutex_);
    if (absl::Status s = CheckAlive(); !s.ok()) return s;
    return fs_->SyncFile(inode_.get());
  }

  absl::StatusOr<uint64_t> Size() const override {
    std::lock_guard lock(fs_->mutex_);
    if (absl::Status s = CheckAlive(); !s.ok()) return s;
    return inode_->current.size();
  }

 private:
  absl::Status CheckAlive() const {
    if (life_ != fs_->life_) return absl::FailedPreconditionError("opened by a process that died");
    return fs_->CheckPower();
  }

  absl::Status TakeSpaceUpTo(uint64_t size) {
    const uint64_t has = inode_->current.size();
    return size > has ? fs_->TakeSpace(size - has) : absl::OkStatus();
  }

  FaultyFileSystem* const fs_;
  const uint64_t life_;
  const std::shared_ptr<Inode> inode_;
};

class FaultyFileSystem::HeldLock final : public FileLock {
 public:
  HeldLock(FaultyFileSystem* fs, std::string path)
      : fs_(fs), life_(fs->life_), path_(std::move(path)) {}
  ~HeldLock() override {
    std::lock_guard lock(fs_->mutex_);
    if (life_ == fs_->life_) fs_->locked_.erase(path_);
  }

 private:
  FaultyFileSystem* const fs_;
  const uint64_t life_;
  const std::string path_;
};

FaultyFileSystem::FaultyFileSystem() {
  auto root = std::make_shared<Inode>();
  root->is_dir = true;
  current_["/"] = durable_["/"] = std::move(root);
}

FaultyFileSystem::~FaultyFileSystem() = default;

void FaultyFileSystem::CutPowerAfter(uint64_t steps) {
  std::lock_guard lock(mutex_);
  cut_at_ = steps_ + steps;
}

void FaultyFileSystem::FailWriteAfter(uint64_t successes) {
  std::lock_guard lock(mutex_);
  fail_write_at_ = writes_ + successes;
}

void FaultyFileSystem::FailSyncAfter(uint64_t successes) {
  std::lock_guard lock(mutex_);
  fail_sync_at_ = syncs_ + successes;
}

void FaultyFileSystem::LimitSpace(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  space_ = UsedSpace() + bytes;
}

void FaultyFileSystem::MakeSpace() {
  std::lock_guard lock(mutex_);
  space_ = UINT64_MAX;
}

void FaultyFileSystem::Crash(Unsynced unsynced, uint64_t seed) {
  std::lock_guard lock(mutex_);
  Prng prng(seed);
  for (const NameChange& change : std::exchange(unsynced_names_, {})) {
    const bool keep =
        unsynced == Unsynced::kKept || (unsynced == Unsynced::kScattered && prng.Below(2) == 0);
    if (keep) Apply(change, &durable_);
  }
  // A folder that was lost takes what was in it along. Parents sort before what they hold.
  for (auto it = durable_.begin(); it != durable_.end();) {
    it = durable_.count(DirName(it->first)) == 0 ? durable_.erase(it) : std::next(it);
  }
  current_ = durable_;
  for (const auto& [path, inode] : current_) {
    for (const Change& change : std::exchange(inode->unsynced, {})) {
      if (unsynced == Unsynced::kKept) Apply(change, &inode->durable);
      if (unsynced == Unsynced::kScattered) Scatter(change, &prng, &inode->durable);
    }
    inode->current = inode->durable;
  }
  BeginLife();
}

void FaultyFileSystem::RestartProcess() {
  std::lock_guard lock(mutex_);
  BeginLife();
}

uint64_t FaultyFileSystem::steps() const {
  std::lock_guard lock(mutex_);
  return steps_;
}

uint64_t FaultyFileSystem::writes() const {
  std::lock_guard lock(mutex_);
  return writes_;
}

uint64_t FaultyFileSystem::syncs() const {
  std::lock_guard lock(mutex_);
  return syncs_;
}

uint64_t FaultyFileSystem::truncations() const {
  std::lock_guard lock(mutex_);
  return truncations_;
}

bool FaultyFileSystem::faulty() const {
  std::lock_guard lock(mutex_);
  return std::min({cut_at_, fail_write_at_, fail_sync_at_, space_}) != UINT64_MAX || space_lacked_;
}

bool FaultyFileSystem::power_is_off() const {
  std::lock_guard lock(mutex_);
  return !CheckPower().ok();
}

void FaultyFileSystem::ClearFaults() {
  std::lock_guard lock(mutex_);
  if (CheckPower().ok()) cut_at_ = UINT64_MAX;
  if (writes_ <= fail_write_at_) fail_write_at_ = UINT64_MAX;
  if (syncs_ <= fail_sync_at_) fail_sync_at_ = UINT64_MAX;
  space_ = UINT64_MAX;
}

std::string FaultyFileSystem::Contents(const std::string& path) const {
  std::lock_guard lock(mutex_);
  const auto inode = Find(path);
  CHECK(inode.ok()) << path;
  return (*inode)->current;
}

void FaultyFileSystem::SetContents(const std::string& path, std::string bytes) {
  std::lock_guard lock(mutex_);
  const auto inode = Find(path);
  CHECK(inode.ok()) << path;
  (*inode)->unsynced.clear();
  (*inode)->durable = bytes;
  (*inode)->current = std::move(bytes);
}

void FaultyFileSystem::FlipBit(const std::string& path, uint64_t bit) {
  std::lock_guard lock(mutex_);
  const auto inode = Find(path);
  CHECK(inode.ok()) << path;
  constexpr uint64_t kByteBits = 8;
  CHECK_LT(bit / kByteBits, (*inode)->current.size()) << path;
  for (std::string* bytes : {&(*inode)->current, &(*inode)->durable}) {
    if (bit / kByteBits < bytes->size()) (*bytes)[bit / kByteBits] ^= 1 << bit % kByteBits;
  }
}

absl::StatusOr<std::unique_ptr<File>> FaultyFileSystem::CreateFile(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (absl::Status s = CheckPower(); !s.ok()) return s;
  if (current_.count(path) != 0) return absl::AlreadyExistsError(absl::StrCat(path, ": exists"));
  if (absl::Status s = CheckParent(path); !s.ok()) return s;
  if (absl::Status s = TakeSpace(1); !s.ok()) return s;
  auto inode = std::make_shared<Inode>();
  if (absl::Status s = ChangeNames({.removed = "", .added = path, .inode = inode}); !s.ok()) {
    return s;
  }
  return std::make_unique<OpenedFile>(this, std::move(inode));
}

absl::StatusOr<std::unique_ptr<File>> FaultyFileSystem::OpenFile(const std::string& path) {
  std::lock_guard lock(mutex_);
  absl::StatusOr<std::shared_ptr<Inode>> inode = Find(path);
  if (!inode.ok()) return inode.status();
  return std::make_unique<OpenedFile>(this, *std::move(inode));
}

absl::StatusOr<uint64_t> FaultyFileSystem::FileSize(const std::string& path) const {
  std::lock_guard lock(mutex_);
  const auto inode = Find(path);
  if (!inode.ok()) return inode.status();
  return (*inode)->current.size();
}

absl::StatusOr<bool> FaultyFileSystem::Exists(const std::string& path) const {
  std::lock_guard lock(mutex_);
  if (absl::Status s = CheckPower(); !s.ok()) return s;
  return current_.count(path) != 0;
}

absl::Status FaultyFileSystem::CreateDir(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (absl::Status s = CheckPower(); !s.ok()) return s;
  if (const auto it = current_.find(path); it != current_.end()) {
    if (it->second->is_dir) return absl::OkStatus();
    return absl::AlreadyExistsError(absl::StrCat(path, ": exists"));
  }
  if (absl::Status s = CheckParent(path); !s.ok()) return s;
  auto inode = std::make_shared<Inode>();
  inode->is_dir = true;
  return ChangeNames({.removed = "", .added = path, .inode = std::move(inode)});
}

absl::StatusOr<std::vector<std::string>> FaultyFileSystem::ListDir(const std::string& path) const {
  std::lock_guard lock(mutex_);
  if (const auto inode = Find(path); !inode.ok()) return inode.status();
  std::vector<std::string> names;
  for (const auto& [name, inode] : current_) {
    if (name != "/" && DirName(name) == path) names.push_back(name.substr(name.rfind('/') + 1));
  }
  return names;
}

absl::Status FaultyFileSystem::SyncDir(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (const auto inode = Find(path); !inode.ok()) return inode.status();
  Step step;
  if (absl::Status s = BeginStep(&step); !s.ok()) return s;
  if (step == Step::kCut) return PowerIsOff();
  std::erase_if(unsynced_names_, [&](const NameChange& change) {
    const std::string& name = change.added.empty() ? change.removed : change.added;
    if (DirName(name) != path) return false;
    Apply(change, &durable_);
    return true;
  });
  return absl::OkStatus();
}

absl::Status FaultyFileSystem::Rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  absl::StatusOr<std::shared_ptr<Inode>> inode = Find(from);
  if (!inode.ok()) return inode.status();
  CHECK(!(*inode)->is_dir) << from << ": folders cannot be renamed here";
  CHECK_EQ(DirName(from), DirName(to)) << "files cannot be moved to another folder here";
  return ChangeNames({.removed = from, .added = to, .inode = *std::move(inode)});
}

absl::Status FaultyFileSystem::Remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (const auto inode = Find(path); !inode.ok()) return inode.status();
  const auto next = current_.upper_bound(path);
  if (next != current_.end() && absl::StartsWith(next->first, absl::StrCat(path, "/"))) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": not empty"));
  }
  return ChangeNames({.removed = path, .added = "", .inode = nullptr});
}

absl::StatusOr<std::unique_ptr<FileLock>> FaultyFileSystem::Lock(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (absl::Status s = CheckPower(); !s.ok()) return s;
  if (!locked_.insert(path).second) {
    return absl::FailedPreconditionError(absl::StrCat("lock ", path, ": in use"));
  }
  return std::make_unique<HeldLock>(this, path);
}

void FaultyFileSystem::BeginLife() {
  locked_.clear();
  ++life_;
  cut_at_ = fail_write_at_ = fail_sync_at_ = UINT64_MAX;
  space_lacked_ = false;
}

absl::Status FaultyFileSystem::CheckPower() const {
  return steps_ > cut_at_ ? PowerIsOff() : absl::OkStatus();
}

absl::Status FaultyFileSystem::BeginStep(Step* step) {
  if (absl::Status s = CheckPower(); !s.ok()) return s;
  *step = steps_++ == cut_at_ ? Step::kCut : Step::kDone;
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<FaultyFileSystem::Inode>> FaultyFileSystem::Find(
    const std::string& path) const {
  if (absl::Status s = CheckPower(); !s.ok()) return s;
  const auto it = current_.find(path);
  if (it == current_.end()) return NotFound(path);
  return it->second;
}

absl::Status FaultyFileSystem::CheckParent(const std::string& path) const {
  const auto it = current_.find(DirName(path));
  return it != current_.end() && it->second->is_dir ? absl::OkStatus() : NotFound(path);
}

absl::Status FaultyFileSystem::ChangeNames(NameChange change) {
  Step step;
  if (absl::Status s = BeginStep(&step); !s.ok()) return s;
  Apply(change, &current_);
  unsynced_names_.push_back(std::move(change));
  return step == Step::kCut ? PowerIsOff() : absl::OkStatus();
}

absl::Status FaultyFileSystem::ChangeFile(Inode* inode, Change change) {
  Step step;
  if (absl::Status s = BeginStep(&step); !s.ok()) return s;
  Apply(change, &inode->current);
  inode->unsynced.push_back(std::move(change));
  return step == Step::kCut ? PowerIsOff() : absl::OkStatus();
}

uint64_t FaultyFileSystem::UsedSpace() const {
  uint64_t bytes = 0;
  for (const auto& [path, inode] : current_) bytes += inode->current.size();
  return bytes;
}

absl::Status FaultyFileSystem::TakeSpace(uint64_t bytes) {
  if (space_ == UINT64_MAX || UsedSpace() + bytes <= space_) return absl::OkStatus();
  space_lacked_ = true;
  return absl::ResourceExhaustedError("No space left on device");
}

absl::Status FaultyFileSystem::SyncFile(Inode* inode) {
  Step step;
  if (absl::Status s = BeginStep(&step); !s.ok()) return s;
  if (step == Step::kCut) return PowerIsOff();
  if (syncs_++ == fail_sync_at_) {
    inode->unsynced.clear();  // still in `current`: the cache says that it is there
    return absl::UnknownError("injected sync error");
  }
  for (const Change& change : std::exchange(inode->unsynced, {})) Apply(change, &inode->durable);
  return absl::OkStatus();
}

void FaultyFileSystem::Apply(const Change& change, std::string* bytes) {
  if (change.bytes.empty()) {
    bytes->resize(change.size);
    return;
  }
  bytes->resize(std::max<uint64_t>(bytes->size(), change.offset + change.bytes.size()));
  bytes->replace(change.offset, change.bytes.size(), change.bytes);
}

void FaultyFileSystem::Apply(const NameChange& change, Names* names) {
  if (!change.removed.empty()) names->erase(change.removed);
  if (!change.added.empty()) (*names)[change.added] = change.inode;
}

void FaultyFileSystem::Scatter(const Change& change, Prng* prng, std::string* bytes) {
  enum { kKeep, kLose, kTear, kFates };
  const uint64_t fate = prng->Below(kFates);
  if (fate == kKeep) Apply(change, bytes);
  if (fate != kTear) return;
  const uint64_t end = change.offset + change.bytes.size();
  for (uint64_t begin = change.offset; begin < end;) {
    const uint64_t next = std::min(end, (begin / kSectorBytes + 1) * kSectorBytes);
    if (prng->Below(2) == 0) {
      Apply({.offset = begin, .bytes = change.bytes.substr(begin - change.offset, next - begin)},
            bytes);
    }
    begin = next;
  }
}

}  // namespace pontoon
