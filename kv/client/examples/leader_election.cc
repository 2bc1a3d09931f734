// Several processes of which one works, and another one takes over when it dies.
//
//   leader_election --endpoints 127.0.0.1:2379 --name job --id one --key job-log &
//   leader_election --endpoints 127.0.0.1:2379 --name job --id two --key job-log &
//
// Who holds the lock leads. A leader that was paused does not know yet that another one leads: so
// all that it writes carries the fence of its lock, and the servers refuse it from then on.

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "kv/client/client.h"
#include "kv/client/examples/arguments.h"
#include "kv/client/lock.h"
#include "kv/errors.h"

namespace pontoon::examples {
namespace {

struct Options {
  std::vector<std::string> endpoints;
  std::string name = "job";
  std::string id = "one";
  std::string key = "job-log";
  int work = 0;
  int ttl_seconds = 5;
};

// Works as the leader: until the lock is lost (then OK), or the work is done. Counts `done`.
absl::Status Lead(Client& client, const Lock& lock, const Options& options, int* done) {
  while (options.work == 0 || *done < options.work) {
    const auto put =
        client.Put(options.key, absl::StrCat(options.id, " ", *done + 1), {.fence = lock.fence()});
    if (kv::Is(put.status(), kv::kErrFenced)) return absl::OkStatus();
    if (!put.ok()) return put.status();
    ++*done;
    absl::SleepFor(absl::Milliseconds(100));  // the work
  }
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Waits until it leads, and then works until another one does.");
  AddEndpoints(&app, &options.endpoints);
  app.add_option("--name", options.name, "Of the election")->capture_default_str();
  app.add_option("--id", options.id, "Of this process, for the others to read")
      ->capture_default_str();
  app.add_option("--key", options.key, "Where the leader writes what it does")
      ->capture_default_str();
  app.add_option("--work", options.work, "End after so much work (0: never)")
      ->capture_default_str();
  app.add_option("--ttl", options.ttl_seconds, "Seconds until the others take over")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const auto client = Client::Create({.endpoints = options.endpoints});
  if (!client.ok()) return Fail(client.status());
  int done = 0;
  do {
    const auto lock = Lock::Acquire(
        client->get(),
        {.name = options.name, .value = options.id, .ttl = absl::Seconds(options.ttl_seconds)},
        absl::InfiniteDuration());
    if (!lock.ok()) return Fail(lock.status());
    std::cout << options.id << " leads, token " << (*lock)->fence().create_revision << std::endl;
    const absl::Status led = Lead(**client, **lock, options, &done);
    std::cout << options.id << " leads no more" << std::endl;
    if (!led.ok()) return Fail(led);
    const absl::Status released = (*lock)->Release();
    if (!released.ok()) return Fail(released);
  } while (options.work == 0 || done < options.work);
  return 0;
}

}  // namespace
}  // namespace pontoon::examples

int main(int argc, char** argv) { return pontoon::examples::Main(argc, argv); }
