// snapshot save and status.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/progress.h"
#include "cmd/pontoonctl/session.h"
#include "cmd/pontoonctl/snapshot_download.h"
#include "cmd/pontoonctl/snapshot_file.h"

namespace pontoon::ctl {
namespace {

// Cancels a call that makes no progress for some time.
class Watchdog {
 public:
  Watchdog(grpc::ClientContext* context, absl::Duration patience)
      : context_(context), patience_(patience), thread_([this] { Watch(); }) {}
  ~Watchdog() {
    {
      absl::MutexLock lock(&mutex_);
      ended_ = true;
    }
    thread_.join();
  }

  void OnProgress() {
    absl::MutexLock lock(&mutex_);
    progress_ = true;
  }

  bool has_bitten() {
    absl::MutexLock lock(&mutex_);
    return has_bitten_;
  }

 private:
  void Watch() {
    absl::MutexLock lock(&mutex_);
    do {
      progress_ = false;
      if (mutex_.AwaitWithTimeout(absl::Condition(&ended_), patience_)) return;
    } while (progress_);
    has_bitten_ = true;
    context_->TryCancel();
  }

  grpc::ClientContext* const context_;
  const absl::Duration patience_;
  absl::Mutex mutex_;
  bool progress_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_bitten_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

class SnapshotSaveCommand : public Command {
 public:
  Description Describe() const override {
    return {"snapshot save", "Writes a member's whole database to a file",
            R"(The bytes go to FILE.part; when all are there, and have the SHA-256 that the server
sends last, it is renamed to FILE. The digest stays at the end of the file, as
etcdctl writes it. --timeout is how long the server may be silent, not how long it all
may take.

Examples:
  pontoonctl --endpoints 10.0.0.2:2379 snapshot save backup.db
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("file", file_, "The file to write")->required();
  }

  Ending Run(const Environment& environment) override {
    if (environment.endpoints.size() != 1) {
      return UsageError("a snapshot is one member's: give one endpoint");
    }
    auto download = SnapshotDownload::Begin(FileSystem::Posix(), file_);
    if (!download.ok()) return {ExitCode::kFailed, std::string(download.status().message())};
    Server server(environment.endpoints.front());
    if (!server.Connect(Deadline::After(environment.timeout))) {
      return {ExitCode::kFailed,
              absl::StrCat("cannot connect to ", server.address(), ": ", server.WhyNotConnected())};
    }
    Progress progress("save", environment.terminal);
    const Ending received = Receive(server, environment.timeout, progress, **download);
    if (received.code != ExitCode::kOk) return received;
    if (const absl::Status finished = (*download)->Finish(); !finished.ok()) {
      return {ExitCode::kFailed, std::string(finished.message())};
    }
    progress.Finish();
    PrintRecord({{"file", file_}, {"bytes", (*download)->bytes_written()}},
                environment.output.value_or(OutputFormat::kPlain), environment.terminal.out);
    return {};
  }

 private:
  static Ending Receive(Server& server, absl::Duration patience, Progress& progress,
                        SnapshotDownload& download) {
    grpc::ClientContext context;
    Watchdog watchdog(&context, patience);
    const auto stream = server.maintenance().Snapshot(&context, {});
    etcdserverpb::SnapshotResponse piece;
    absl::Status status;
    while (status.ok() && stream->Read(&piece)) {
      watchdog.OnProgress();
      status = download.Add(piece);
      progress.Expect(download.bytes_expected());
      progress.Add(piece.blob().size());
    }
    if (!status.ok()) context.TryCancel();
    const grpc::Status ended = stream->Finish();
    if (!status.ok()) return {ExitCode::kFailed, std::string(status.message())};
    if (watchdog.has_bitten()) {
      return {ExitCode::kFailed,
              absl::StrCat(server.address(), " was silent for ", absl::FormatDuration(patience),
                           "; a longer --timeout may help")};
    }
    return EndingOfRead({OutcomeOf(ended), ended, server.address()});
  }

  std::string file_;
};

class SnapshotStatusCommand : public Command {
 public:
  Description Describe() const override {
    return {"snapshot status", "Checks the file of a snapshot, and shows what is in it",
            R"(Of a Pontoon's snapshot every block is checked. Of an etcd's, which is a bbolt
database, only the SHA-256 at its end: for the rest see etcdutl snapshot status.

Exit code 1: the file is damaged, or is no snapshot.

Examples:
  pontoonctl snapshot status backup.db
  pontoonctl snapshot status backup.db --output json
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("file", file_, "The file to check")->required();
  }

  Ending Run(const Environment& environment) override {
    std::error_code error;
    const uint64_t bytes = std::filesystem::file_size(file_, error);
    if (error) return {ExitCode::kFailed, absl::StrCat(file_, ": ", error.message())};
    std::ifstream in(file_, std::ios::binary);
    const absl::StatusOr<SnapshotSummary> summary = InspectSnapshot(in, bytes);
    if (!summary.ok()) {
      return {ExitCode::kFailed, absl::StrCat(file_, ": ", summary.status().message())};
    }
    PrintRecord(RecordOf(*summary), environment.output.value_or(OutputFormat::kTable),
                environment.terminal.out);
    return {};
  }

 private:
  static Record RecordOf(const SnapshotSummary& summary) {
    const bool is_ours = summary.contents.has_value();
    const auto cell = [&](auto number) {
      return is_ours ? Cell(number(*summary.contents)) : Cell::None();
    };
    using Contents = SnapshotSummary::Contents;
    return {
        {"format", is_ours ? "pontoon" : "etcd (bbolt)"},
        {"bytes", summary.bytes},
        {"revision", cell([](const Contents& c) { return c.meta.revision.value(); })},
        {"keys", cell([](const Contents& c) { return c.keys; })},
        {"versions", cell([](const Contents& c) { return c.versions; })},
        {"raft index", cell([](const Contents& c) { return c.meta.applied.index.value(); })},
        {"raft term", cell([](const Contents& c) { return c.meta.applied.term.value(); })},
    };
  }

  std::string file_;
};

}  // namespace

std::unique_ptr<Command> NewSnapshotSaveCommand() {
  return std::make_unique<SnapshotSaveCommand>();
}
std::unique_ptr<Command> NewSnapshotStatusCommand() {
  return std::make_unique<SnapshotStatusCommand>();
}

}  // namespace pontoon::ctl
