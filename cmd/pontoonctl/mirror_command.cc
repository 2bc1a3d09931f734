// mirror: keeps the keys of another cluster equal to those of this one.

#include <CLI/CLI.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/flag_values.h"
#include "cmd/pontoonctl/interrupt_listener.h"
#include "cmd/pontoonctl/mirror.h"
#include "cmd/pontoonctl/mirror_checkpoint.h"
#include "cmd/pontoonctl/progress.h"
#include "cmd/pontoonctl/session.h"
#include "cmd/pontoonctl/watcher.h"

namespace pontoon::ctl {
namespace {

Ending Failed(const absl::Status& status) {
  if (absl::IsInvalidArgument(status)) return UsageError(std::string(status.message()));
  return {ExitCode::kFailed, std::string(status.message())};
}

// Ends the watcher that is at work, or that will be.
class WatchStopper {
 public:
  void Stop() {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    if (watcher_ != nullptr) watcher_->Cancel();
  }

  // Null: there is none now.
  void Set(Watcher* watcher) {
    absl::MutexLock lock(&mutex_);
    watcher_ = watcher;
    if (stopped_ && watcher_ != nullptr) watcher_->Cancel();
  }

 private:
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  Watcher* watcher_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

class MirrorCommand : public Command {
 public:
  Description Describe() const override {
    return {"mirror", "Keeps the keys of another cluster equal to those of this one",
            R"(The source is the cluster at --endpoints. First it makes the target equal to the
source at one revision, then it follows what happens, with a transaction for each
revision of the source (several, if it changed more than 100 keys), until it is
interrupted. With --once it ends after the first step. Leases are not mirrored.

The keys under --dest-prefix are the mirror's: what others write there is not kept. If
the target has keys there that the source has not, a first run is refused, unless
--delete says that they may go.

With --checkpoint a mirror that was ended goes on where it was. If the source has been
compacted meanwhile, it compares all keys anew, and deletes what is gone.

Exit code 1: given up or refused; run it again to go on.

Examples:
  pontoonctl --endpoints 10.0.0.1:2379 mirror --target 10.1.0.1:2379 --checkpoint m.json
  pontoonctl mirror --target 10.1.0.1:2379 --prefix config/ --dest-prefix copy/ --once
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("--target", target_, "The servers of the target, as --endpoints")->required();
    app.add_option("--prefix", prefix_, "What the keys begin with; empty: all keys");
    app.add_option("--dest-prefix", target_prefix_,
                   "What they begin with at the target, instead; by default the same");
    app.add_option("--checkpoint", checkpoint_, "A file that keeps how far it is");
    app.add_flag("--once", once_, "Only make the target equal, and end");
    app.add_flag("--delete", delete_, "Delete keys of the target that the source has not");
    AddDurationFlag(app, "--retry-for", retry_for_,
                    "How long a request is tried again while no server answers");
  }

  Ending Run(const Environment& environment) override {
    const absl::StatusOr<std::vector<Endpoint>> targets = ParseEndpoints(target_);
    if (!targets.ok()) return Failed(targets.status());
    Session source(environment.endpoints), target(*targets);
    Progress progress("copy", environment.terminal);
    JobLog log(progress);
    Mirror mirror(source, target,
                  {prefix_, target_prefix_.value_or(prefix_), {environment.timeout, retry_for_}},
                  log);
    absl::StatusOr<MirrorCheckpoint> state = mirror.Identify();
    if (!state.ok()) return Failed(state.status());
    if (const absl::Status loaded = Load(*state); !loaded.ok()) return Failed(loaded);
    Work work{environment, mirror, progress, *state};
    const Ending ending = Go(work);
    progress.Finish();
    const Mirror::Totals& totals = mirror.totals();
    PrintRecord({{"put", totals.puts},
                 {"deleted", totals.deletes},
                 {"equal", totals.equal},
                 {"revision", state->revision}},
                environment.output.value_or(OutputFormat::kPlain), environment.terminal.out);
    return ending;
  }

 private:
  // Sets the revision of `state` to that of the checkpoint, if there is one.
  absl::Status Load(MirrorCheckpoint& state) const {
    if (checkpoint_.empty()) return absl::OkStatus();
    const auto loaded = LoadCheckpoint(FileSystem::Posix(), checkpoint_);
    if (!loaded.ok()) return loaded.status();
    if (!loaded->has_value()) return absl::OkStatus();
    if (!(*loaded)->IsOfSameMirror(state)) {
      return absl::FailedPreconditionError(
          absl::StrCat(checkpoint_,
                       " is the checkpoint of another mirror: its clusters or prefixes "
                       "differ; give another file"));
    }
    state.revision = (*loaded)->revision;
    return absl::OkStatus();
  }

  absl::Status Save(const MirrorCheckpoint& state) const {
    if (checkpoint_.empty()) return absl::OkStatus();
    return SaveCheckpoint(FileSystem::Posix(), checkpoint_, state);
  }

  // What all steps work with.
  struct Work {
    const Environment& environment;
    Mirror& mirror;
    Progress& progress;
    MirrorCheckpoint& state;
    WatchStopper stopper = {};
  };

  // Copies where need be, and follows. Where a compaction overtakes it, from the start.
  Ending Go(Work& work) const {
    const InterruptListener listener([&](const InterruptListener::Interrupt&) {
      work.mirror.Cancel();
      work.stopper.Stop();
    });
    bool must_copy = once_ || work.state.revision == 0;
    for (;;) {
      if (must_copy) {
        const Ending copied = Copy(work);
        if (copied.code != ExitCode::kOk || once_) return copied;
      }
      bool compacted = false;
      const Ending followed = Follow(work, &compacted);
      if (!compacted) return followed;
      work.progress.Say(absl::StrCat("revision ", work.state.revision + 1,
                                     " has been compacted: comparing all keys anew"));
      must_copy = true;
    }
  }

  // If it does not end well, the revision of the state stays as it was.
  Ending Copy(Work& work) const {
    const bool is_first = work.state.revision == 0;
    const absl::StatusOr<int64_t> revision = work.mirror.Copy(
        is_first && !delete_ ? Mirror::Extra::kRefuse : Mirror::Extra::kDelete, work.progress);
    if (absl::IsCancelled(revision.status())) {
      return {ExitCode::kFailed, "interrupted before the target was equal"};
    }
    if (!revision.ok()) return Failed(revision.status());
    work.state.revision = *revision;
    const absl::Status saved = Save(work.state);
    return saved.ok() ? Ending() : Failed(saved);
  }

  Ending Follow(Work& work, bool* compacted) const {
    const KeyRange range = KeyRange::Prefix(prefix_);
    etcdserverpb::WatchCreateRequest request;
    request.set_key(range.key);
    request.set_range_end(range.end);
    request.set_start_revision(work.state.revision + 1);
    // So that the checkpoint goes on where nothing happens under the prefix.
    request.set_progress_notify(true);
    Watcher watcher(work.environment.endpoints, request,
                    {.first_timeout = retry_for_, .on_interruption = [&](const std::string& why) {
                       work.progress.Say(absl::StrCat("going on elsewhere: ", why));
                     }});
    work.stopper.Set(&watcher);
    const absl::Status applied = ApplyAll(watcher, work);
    work.stopper.Set(nullptr);
    if (!applied.ok()) return Failed(applied);
    *compacted = watcher.end().reason == Watcher::End::Reason::kCompacted;
    if (watcher.end().reason != Watcher::End::Reason::kFailed) return {};
    return {ExitCode::kFailed, watcher.end().message};
  }

  // Until the watch ends.
  absl::Status ApplyAll(Watcher& watcher, Work& work) const {
    etcdserverpb::WatchResponse response;
    while (watcher.Next(&response)) {
      if (const absl::Status applied = work.mirror.Apply(response); !applied.ok()) return applied;
      work.state.revision = response.events().empty()
                                ? response.header().revision()
                                : response.events().rbegin()->kv().mod_revision();
      if (const absl::Status saved = Save(work.state); !saved.ok()) return saved;
    }
    return absl::OkStatus();
  }

  std::string target_;
  std::string prefix_;
  std::optional<std::string> target_prefix_;
  std::string checkpoint_;
  bool once_ = false;
  bool delete_ = false;
  absl::Duration retry_for_ = absl::Minutes(1);
};

}  // namespace

std::unique_ptr<Command> NewMirrorCommand() { return std::make_unique<MirrorCommand>(); }

}  // namespace pontoon::ctl
