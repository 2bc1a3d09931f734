// Keeps a program's configuration as the cluster has it: reads all keys under a prefix, and takes
// over every change as it comes, without asking again and again.
//
//   config_reload --endpoints 127.0.0.1:2379 --prefix /config/app/
//
// The read tells its revision; the watch begins with the next one, so nothing is missed between
// them. If the program was cut off for so long that the changes are compacted, it reads again.

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "kv/client/client.h"
#include "kv/client/examples/arguments.h"
#include "kv/client/watch.h"
#include "kv/errors.h"

namespace pontoon::examples {
namespace {

// What a real program would look its settings up in. Thread safe.
class Config {
 public:
  void Replace(const etcdserverpb::RangeResponse& read) {
    absl::MutexLock lock(&mutex_);
    std::map<std::string, std::string> settings;
    for (const mvccpb::KeyValue& kv : read.kvs()) settings[kv.key()] = kv.value();
    for (const auto& [key, value] : settings) Print(key, value);
    settings_.swap(settings);
    std::cout << "loaded " << settings_.size() << " settings" << std::endl;
  }

  void Apply(const mvccpb::Event& event) {
    absl::MutexLock lock(&mutex_);
    if (event.type() == mvccpb::Event::DELETE) {
      settings_.erase(event.kv().key());
      std::cout << event.kv().key() << " removed" << std::endl;
    } else {
      settings_[event.kv().key()] = event.kv().value();
      Print(event.kv().key(), event.kv().value());
    }
  }

 private:
  static void Print(const std::string& key, const std::string& value) {
    std::cout << key << " = " << value << std::endl;
  }

  absl::Mutex mutex_;
  std::map<std::string, std::string> settings_ ABSL_GUARDED_BY(mutex_);
};

// Lets the main thread wait for what happens on the client's.
class Progress {
 public:
  void AddChanges(size_t count) {
    absl::MutexLock lock(&mutex_);
    changes_ += count;
  }
  void SetEnd(const WatchEnd& end) {
    absl::MutexLock lock(&mutex_);
    end_ = end;
    ended_ = true;
  }
  // Waits until the watch has ended, or there were so many changes (0: however many); how it ended.
  std::optional<WatchEnd> Await(size_t changes) {
    absl::MutexLock lock(&mutex_);
    const auto over = [&] { return ended_ || (changes > 0 && changes_ >= changes); };
    mutex_.Await(absl::Condition(&over));
    if (!ended_) return std::nullopt;
    ended_ = false;
    return end_;
  }

 private:
  absl::Mutex mutex_;
  size_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  WatchEnd end_ ABSL_GUARDED_BY(mutex_);
};

int Main(int argc, char** argv) {
  CLI::App app("Prints the settings under a prefix, and each change of them.");
  std::vector<std::string> endpoints;
  AddEndpoints(&app, &endpoints);
  std::string prefix = "/config/";
  app.add_option("--prefix", prefix, "What the settings' keys begin with")->capture_default_str();
  size_t changes = 0;
  app.add_option("--changes", changes, "End after so many changes (0: never)")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const auto client = Client::Create({.endpoints = endpoints});
  if (!client.ok()) return Fail(client.status());

  Config config;
  Progress progress;
  for (;;) {
    const auto read = (*client)->Range(ForPrefix<etcdserverpb::RangeRequest>(prefix));
    if (!read.ok()) return Fail(read.status());
    config.Replace(*read);

    auto request = ForPrefix<etcdserverpb::WatchCreateRequest>(prefix);
    request.set_start_revision(read->header().revision() + 1);
    const Watch watch(client->get(), request,
                      {.on_events =
                           [&](const std::vector<mvccpb::Event>& events) {
                             for (const mvccpb::Event& event : events) config.Apply(event);
                             progress.AddChanges(events.size());
                           },
                       .on_end = [&](const WatchEnd& end) { progress.SetEnd(end); }});
    const std::optional<WatchEnd> end = progress.Await(changes);
    if (!end.has_value()) return 0;
    if (!kv::Is(end->status, kv::kErrCompacted)) return Fail(end->status);
  }
}

}  // namespace
}  // namespace pontoon::examples

int main(int argc, char** argv) { return pontoon::examples::Main(argc, argv); }
