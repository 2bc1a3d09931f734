// watch: changes of keys, as they happen.

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/command_runner.h"
#include "cmd/pontoonctl/display_flags.h"
#include "cmd/pontoonctl/interrupt_listener.h"
#include "cmd/pontoonctl/kv_flags.h"
#include "cmd/pontoonctl/watch_variables.h"
#include "cmd/pontoonctl/watcher.h"

namespace pontoon::ctl {
namespace {

class WatchCommand : public Command {
 public:
  Description Describe() const override {
    return {"watch", "Prints changes of keys as they happen, or from a revision on",
            R"(For each change it prints PUT or DELETE, the key and the value, as etcdctl does. It
goes on until it is interrupted (exit code 0). Where the connection or the leader is
lost it goes on at the next endpoint, after the last revision it has printed: nothing
is missing, and nothing comes twice.

With "-- CMD" it runs CMD for each change, one at a time. CMD finds the change in
PONTOON_WATCH_REVISION, PONTOON_WATCH_EVENT_TYPE, PONTOON_WATCH_KEY and
PONTOON_WATCH_VALUE (a key or value that is longer than 32 KiB or has a zero byte is
left out), and as etcdctl gives it in ETCD_WATCH_...; if it fails, the watch ends.

Exit code 1: the server refused, or CMD failed, or the revision to begin or to go on
with has been compacted.

Examples:
  pontoonctl watch greeting
  pontoonctl watch --prefix config/ --prev-kv
  pontoonctl watch a c --rev 7 --output json
  pontoonctl watch --prefix config/ -- sh -c 'echo "$PONTOON_WATCH_KEY changed"'
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    range_.DeclareOn(app);
    app.add_option("--rev", revision_, "Begin with this revision; 0: with what comes next")
        ->check(CLI::NonNegativeNumber);
    app.add_flag("--prev-kv", prev_kv_, "Print also what the key was before");
    app.add_flag("--progress-notify", progress_notify_,
                 "Print now and then how far it is, if nothing happens");
    display_.DeclareOn(app);
  }

  std::vector<std::string>* CommandToRun() override { return &command_; }

  Ending Run(const Environment& environment) override {
    const absl::StatusOr<KeyRange> range = range_.Build();
    if (!range.ok()) return UsageError(std::string(range.status().message()));
    etcdserverpb::WatchCreateRequest request;
    request.set_key(range->key);
    request.set_range_end(range->end);
    request.set_start_revision(revision_);
    request.set_prev_kv(prev_kv_);
    request.set_progress_notify(progress_notify_);

    Watcher watcher(
        environment.endpoints, request,
        {.first_timeout = environment.timeout, .on_interruption = [&](const std::string& why) {
           environment.terminal.err << "going on elsewhere: " << why << std::endl;
         }});
    CommandRunner runner(command_);
    const InterruptListener listener([&](const InterruptListener::Interrupt& interrupt) {
      watcher.Cancel();
      runner.Interrupt(interrupt);
    });
    KvPrinter printer = display_.NewPrinter(environment);
    etcdserverpb::WatchResponse response;
    while (watcher.Next(&response)) {
      printer.Print(response);
      // Nobody reads it any more: that is found out where the output ends.
      if (!environment.terminal.out.flush()) return {};
      if (command_.empty()) continue;
      const Ending ending = RunForEach(response, runner);
      if (ending.code != ExitCode::kOk) return ending;
    }
    return EndingOf(watcher.end());
  }

 private:
  Ending RunForEach(const etcdserverpb::WatchResponse& response, CommandRunner& runner) const {
    for (const mvccpb::Event& event : response.events()) {
      const absl::StatusOr<int> exit_code = runner.Run(WatchVariables(event));
      // What ends because it is told to does not fail.
      if (runner.stopped()) return {};
      if (!exit_code.ok()) {
        return {ExitCode::kFailed, std::string(exit_code.status().message())};
      }
      if (*exit_code != 0) {
        return {ExitCode::kFailed,
                absl::StrCat("\"", absl::StrJoin(command_, " "), "\" ended with exit code ",
                             *exit_code, " at revision ", event.kv().mod_revision())};
      }
    }
    return {};
  }

  static Ending EndingOf(const Watcher::End& end) {
    switch (end.reason) {
      case Watcher::End::Reason::kCancelled:
        return {};
      case Watcher::End::Reason::kCompacted:
        return {ExitCode::kFailed, absl::StrCat("revision ", end.next_revision,
                                                " has been compacted: what happened "
                                                "before revision ",
                                                end.first_revision,
                                                " is forgotten; read the keys "
                                                "anew, or watch with --rev ",
                                                end.first_revision)};
      case Watcher::End::Reason::kFailed:
        return {ExitCode::kFailed, end.message};
    }
    return {};
  }

  KeyRangeFlags range_;
  int64_t revision_ = 0;
  bool prev_kv_ = false;
  bool progress_notify_ = false;
  DisplayFlags display_;
  std::vector<std::string> command_;
};

}  // namespace

std::unique_ptr<Command> NewWatchCommand() { return std::make_unique<WatchCommand>(); }

}  // namespace pontoon::ctl
