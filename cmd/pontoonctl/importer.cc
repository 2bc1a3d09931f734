#include "cmd/pontoonctl/importer.h"

#include <algorithm>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/file_tree.h"

namespace pontoon::ctl {
namespace {

// No server takes requests that are larger; it spares reading a disk image to hear so.
constexpr uint64_t kFileBytesMax = 256 << 20;

}  // namespace

absl::StatusOr<std::string> Importer::ReadImportFile(const ImportOptions& options,
                                                     const std::string& relative_path) {
  return ReadFile(absl::StrCat(options.directory, "/", relative_path), kFileBytesMax);
}

std::string Importer::Run(const std::vector<PlannedWrite>& writes, ImportTotals& totals) {
  {
    absl::MutexLock lock(&mutex_);
    totals_ = totals;
  }
  std::vector<std::thread> threads;
  const size_t count = std::min<size_t>(options_.concurrency, writes.size());
  for (size_t i = 0; i < count; ++i) threads.emplace_back([this, &writes] { DoWrites(writes); });
  for (std::thread& thread : threads) thread.join();
  absl::MutexLock lock(&mutex_);
  totals = totals_;
  return why_given_up_;
}

void Importer::DoWrites(const std::vector<PlannedWrite>& writes) {
  while (!given_up_) {
    const size_t place = next_++;
    if (place >= writes.size()) return;
    DoOne(writes[place]);
    progress_.Add(1);
  }
}

void Importer::DoOne(const PlannedWrite& planned) {
  GuardedWrite write{
      .key = options_.prefix + planned.relative_path,
      .seen_mod_revision = planned.seen_mod_revision,
      .on_conflict = options_.on_conflict,
  };
  uint64_t size_bytes = 0;
  if (planned.kind == PlannedWrite::Kind::kPut) {
    absl::StatusOr<std::string> bytes = ReadImportFile(options_, planned.relative_path);
    if (!bytes.ok()) {
      log_.Problem(std::string(bytes.status().message()));
      absl::MutexLock lock(&mutex_);
      ++totals_.failed;
      return;
    }
    size_bytes = bytes->size();
    write.value = *std::move(bytes);
  }
  Count(planned, size_bytes, Apply(write));
}

GuardedEnd Importer::Apply(const GuardedWrite& write) {
  return ApplyGuarded(
      write, Backoff(Deadline::After(options_.patience.retry_for)),
      [this](const etcdserverpb::TxnRequest& request, etcdserverpb::TxnResponse* response) {
        return session_.Write(Deadline::After(options_.patience.timeout),
                              [&](Server& server, grpc::ClientContext* context) {
                                return server.kv().Txn(context, request, response);
                              });
      },
      [this](const Reply& reply) { log_.Retry(Explain(reply)); });
}

void Importer::Count(const PlannedWrite& planned, uint64_t size_bytes, const GuardedEnd& end) {
  const std::string key = absl::CEscape(options_.prefix + planned.relative_path);
  absl::MutexLock lock(&mutex_);
  switch (end.kind) {
    case GuardedEnd::Kind::kApplied:
    case GuardedEnd::Kind::kFoundApplied:
      ++(planned.kind == PlannedWrite::Kind::kPut ? totals_.written : totals_.deleted);
      totals_.written_bytes += size_bytes;
      return;
    case GuardedEnd::Kind::kConflict:
      ++totals_.conflicts;
      log_.Problem(absl::StrCat(key, ": ", end.reason));
      return;
    case GuardedEnd::Kind::kRefused:
      ++totals_.failed;
      log_.Problem(absl::StrCat(key, " (", size_bytes, " bytes): ", end.reason));
      return;
    case GuardedEnd::Kind::kGaveUp:
      // The others would fare no better.
      given_up_ = true;
      why_given_up_ = end.reason;
      return;
  }
}

}  // namespace pontoon::ctl
