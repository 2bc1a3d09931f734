// snapshot restore.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/pontoon/restore.h"
#include "cmd/pontoon/settings.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/progress.h"
#include "cmd/pontoonctl/sha256.h"
#include "cmd/pontoonctl/snapshot_file.h"
#include "raft/env/file_system.h"

namespace pontoon::ctl {
namespace {

// The stream of a snapshot in a file, which was looked at before.
class FileSource final : public SnapshotSource {
 public:
  FileSource(std::istream* in, const SnapshotSummary& summary, Progress* progress)
      : in_(in),
        position_(summary.contents->meta.applied),
        remaining_(summary.bytes - kSha256Bytes),
        progress_(progress) {
    progress_->Expect(remaining_);
  }

  LogPosition position() const override { return position_; }

  absl::StatusOr<std::string> Read(size_t bytes_max) override {
    std::string bytes(std::min<uint64_t>(remaining_, bytes_max), '\0');
    if (!in_->read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
      return absl::UnavailableError("the file cannot be read to its end");
    }
    remaining_ -= bytes.size();
    progress_->Add(bytes.size());
    return bytes;
  }

 private:
  std::istream* const in_;
  const LogPosition position_;
  uint64_t remaining_;
  Progress* const progress_;
};

class SnapshotRestoreCommand : public Command {
 public:
  Description Describe() const override {
    return {
        "snapshot restore", "Makes a member's data folder from a snapshot, for a new cluster",
        R"(For when a cluster is lost, or a copy of it is wanted. Talks to no server. Run it once
for each member of the new cluster, with the same snapshot and the same flags but for
--name, --data-dir and --initial-advertise-peer-urls; then start each member with the
flags that its folder was made with. Keys, their history and leases are as they were;
members and alarms are not taken over. Members that come later are added as always.

The old cluster may have gone on after the snapshot. Clients that remember a revision
then see time go back, unless --bump-revision takes the new cluster past all that the
old one has made, and --mark-compacted tells those that watch to read anew.

A snapshot of etcd cannot be restored: mirror from a running etcd instead.

Examples:
  pontoonctl snapshot restore backup.db --name a --data-dir /var/lib/pontoon \
    --initial-cluster a=http://10.0.0.1:2380,b=http://10.0.0.2:2380,c=http://10.0.0.3:2380 \
    --initial-advertise-peer-urls http://10.0.0.1:2380
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("file", file_, "The snapshot")->required();
    for (const Flag& flag : Flags()) {
      if (!IsTaken(flag.name)) continue;
      app.add_option(absl::StrCat("--", flag.name), values_[flag.name],
                     absl::StrCat("As of the server: ", flag.help))
          ->type_name(flag.value_name)
          ->default_str(flag.default_text);
    }
    app.add_option("--bump-revision", options_.revisions_skipped,
                   "So many revisions later the new cluster goes on")
        ->type_name("N")
        ->check(CLI::NonNegativeNumber);
    app.add_flag("--mark-compacted", options_.compacted,
                 "Count all revisions up to there as compacted");
  }

  Ending Run(const pontoon::ctl::Environment& environment) override {
    std::error_code error;
    const uint64_t bytes = std::filesystem::file_size(file_, error);
    if (error) return Failed(error.message());
    std::ifstream in(file_, std::ios::binary);
    const absl::StatusOr<SnapshotSummary> summary = InspectSnapshot(in, bytes);
    if (!summary.ok()) return Failed(summary.status().message());
    if (!summary->contents.has_value()) {
      return Failed(
          "it is a snapshot of etcd; to take over its keys start that etcd, and run "
          "pontoonctl mirror");
    }
    in.clear();
    in.seekg(0);

    Progress progress("restore", environment.terminal);
    FileSource source(&in, *summary, &progress);
    const absl::Status restored = RestoreMember(FileSystem::Posix(), SettingsOf(values_),
                                                summary->contents->meta, options_, &source);
    if (!restored.ok()) return Failed(restored.message());
    progress.Finish();
    const int64_t revision = summary->contents->meta.revision.value() + options_.revisions_skipped;
    PrintRecord({{"file", file_}, {"keys", summary->contents->keys}, {"revision", revision}},
                environment.output.value_or(OutputFormat::kPlain), environment.terminal.out);
    return {};
  }

 private:
  // Of the server's flags, those that say who the member is.
  static bool IsTaken(absl::string_view flag) {
    constexpr absl::string_view kTaken[] = {"name", "data-dir", "initial-cluster",
                                            "initial-cluster-token", "initial-advertise-peer-urls"};
    return std::find(std::begin(kTaken), std::end(kTaken), flag) != std::end(kTaken);
  }

  static Settings SettingsOf(const std::map<std::string, std::string>& values) {
    Settings settings;
    for (const auto& [name, value] : values) {
      if (!value.empty()) settings[name] = {value, absl::StrCat("--", name)};
    }
    return settings;
  }

  Ending Failed(absl::string_view why) const {
    return {ExitCode::kFailed, absl::StrCat(file_, ": ", why)};
  }

  std::string file_;
  std::map<std::string, std::string> values_;  // of flags of the server; empty: not given
  kv::AdoptionOptions options_;
};

}  // namespace

std::unique_ptr<Command> NewSnapshotRestoreCommand() {
  return std::make_unique<SnapshotRestoreCommand>();
}

}  // namespace pontoon::ctl
