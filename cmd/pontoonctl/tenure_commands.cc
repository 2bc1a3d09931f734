// lock and elect.

#include <CLI/CLI.hpp>
#include <optional>

#include "cmd/pontoonctl/candidacy.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/interrupt_listener.h"
#include "cmd/pontoonctl/key_range.h"
#include "cmd/pontoonctl/kv_printer.h"
#include "cmd/pontoonctl/session.h"
#include "cmd/pontoonctl/tenure.h"
#include "cmd/pontoonctl/watcher.h"

namespace pontoon::ctl {
namespace {

// Seconds; as etcdctl has it.
constexpr int64_t kDefaultTtl = 10;

void DeclareTtl(CLI::App& app, int64_t& ttl) {
  app.add_option("--ttl", ttl, "Seconds after which others may have it if we are cut off")
      ->check(CLI::PositiveNumber);
}

class LockCommand : public Command {
 public:
  Description Describe() const override {
    return {"lock", "Holds a lock while a command runs, or until it is interrupted",
            R"(It waits for its turn, and then runs CMD, if there is one, with its exit code as its
own. CMD finds PONTOON_LOCK_KEY, PONTOON_LOCK_TOKEN and PONTOON_LOCK_REV in its
environment (and ETCD_LOCK_KEY, ETCD_LOCK_REV). Without CMD it prints the key and, in
a second line, the token, and holds the lock until it is interrupted.

The token is the create revision of the key. It rises from holder to holder: who
writes somewhere else with the lock can give it along, to have an older one refused.
A write to the store is fenced by the flag --fence of put, del and txn, as CMD runs them:
once the lock is lost it is refused. Servers of etcd heed no fence: there a transaction
that compares create(KEY) with the token does the same.

The lock belongs to a lease that is kept alive meanwhile. If it is lost, because no
server answers for the time of --ttl, CMD gets SIGTERM, and the exit code is 5.

Examples:
  pontoonctl lock nightly -- ./backup.sh
  pontoonctl lock nightly --ttl 30
  pontoonctl lock job -- sh -c 'pontoonctl put job/state done --fence'
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("name", name_, "The lock; its keys begin with NAME/")->required();
    DeclareTtl(app, ttl_);
  }

  std::vector<std::string>* CommandToRun() override { return &command_; }

  Ending Run(const Environment& environment) override {
    if (name_.empty()) return UsageError("the name is empty");
    return HoldTenure(environment, {.name = name_,
                                    .value = "",
                                    .ttl_seconds = ttl_,
                                    .command = command_,
                                    .word = "LOCK",
                                    .print = [&](const auto& kv) { Print(kv, environment); }});
  }

 private:
  static void Print(const mvccpb::KeyValue& kv, const Environment& environment) {
    const OutputFormat format = environment.output.value_or(OutputFormat::kPlain);
    if (format == OutputFormat::kPlain) {
      environment.terminal.out << kv.key() << '\n' << kv.create_revision() << '\n';
    } else {
      PrintRecord({{"key", kv.key()}, {"token", kv.create_revision()}}, format,
                  environment.terminal.out);
    }
  }

  std::string name_;
  int64_t ttl_ = kDefaultTtl;
  std::vector<std::string> command_;
};

class ElectCommand : public Command {
 public:
  Description Describe() const override {
    return {
        "elect", "Stands for an election and leads until it is interrupted, or listens",
        R"(With VALUE it waits until it is elected, prints the key and the value, and leads until
it is interrupted; or it runs CMD then, with its exit code as its own, and with
PONTOON_ELECT_KEY, PONTOON_ELECT_TOKEN and PONTOON_ELECT_REV in its environment (see
"pontoonctl lock" for what they are, and for what happens if the lease is lost).

With --listen it prints the key and the value of the leader, and of each that follows,
until it is interrupted.

Examples:
  pontoonctl elect primary host-a
  pontoonctl elect primary host-a -- ./serve.sh
  pontoonctl elect primary --listen
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("name", name_, "The election; its keys begin with NAME/")->required();
    CLI::Option* const value =
        app.add_option("value", value_, "What the leader says of itself, such as its address");
    app.add_flag("--listen", listen_, "Only tell who leads")->excludes(value);
    DeclareTtl(app, ttl_);
  }

  std::vector<std::string>* CommandToRun() override { return &command_; }

  Ending Run(const Environment& environment) override {
    if (name_.empty()) return UsageError("the name is empty");
    if (listen_ && !command_.empty()) return UsageError("--listen runs no command");
    if (listen_) return Listen(environment);
    if (!value_.has_value()) return UsageError("give a VALUE to stand with, or --listen");
    return HoldTenure(environment, {.name = name_,
                                    .value = *value_,
                                    .ttl_seconds = ttl_,
                                    .command = command_,
                                    .word = "ELECT",
                                    .print = [&](const auto& kv) { Print(kv, environment); }});
  }

 private:
  static void Print(const mvccpb::KeyValue& kv, const Environment& environment) {
    etcdserverpb::RangeResponse response;
    *response.add_kvs() = kv;
    response.set_count(1);
    KvPrinter(environment.output.value_or(OutputFormat::kPlain), KvPrinter::Bytes::kRaw,
              environment.terminal.out)
        .Print(response, KvPrinter::Parts::kKeyAndValue);
    environment.terminal.out.flush();
  }

  static void PrintIfNew(const etcdserverpb::RangeResponse& found, mvccpb::KeyValue* shown,
                         const Environment& environment) {
    if (found.kvs().empty()) return;
    const mvccpb::KeyValue& leader = found.kvs(0);
    if (leader.key() == shown->key() && leader.mod_revision() == shown->mod_revision()) return;
    Print(leader, environment);
    *shown = leader;
  }

  Reply FindLeader(Session& session, const Environment& environment,
                   etcdserverpb::RangeResponse* response) const {
    return session.Read(Deadline::After(environment.timeout),
                        [&](Server& server, grpc::ClientContext* context) {
                          return server.kv().Range(context, HolderRequest(name_), response);
                        });
  }

  // Whatever happens in the queue, the store is asked again who leads: so there is one rule for it.
  Ending Listen(const Environment& environment) const {
    Session session(environment.endpoints);
    etcdserverpb::RangeResponse found;
    Reply reply = FindLeader(session, environment, &found);
    if (!reply.ok()) return EndingOfRead(reply);
    const KeyRange queue = KeyRange::Prefix(name_ + "/");
    etcdserverpb::WatchCreateRequest request;
    request.set_key(queue.key);
    request.set_range_end(queue.end);
    request.set_start_revision(found.header().revision() + 1);
    Watcher watcher(environment.endpoints, request, {.first_timeout = environment.timeout});
    const InterruptListener listener(
        [&](const InterruptListener::Interrupt&) { watcher.Cancel(); });
    mvccpb::KeyValue shown;
    PrintIfNew(found, &shown, environment);
    etcdserverpb::WatchResponse response;
    while (watcher.Next(&response)) {
      // What happened up to the last answer is in it.
      if (response.events().rbegin()->kv().mod_revision() <= found.header().revision()) continue;
      reply = FindLeader(session, environment, &found);
      if (!reply.ok()) return EndingOfRead(reply);
      PrintIfNew(found, &shown, environment);
    }
    switch (watcher.end().reason) {
      case Watcher::End::Reason::kCancelled:
        return {};
      case Watcher::End::Reason::kCompacted:
        return {ExitCode::kFailed, "cut off for so long that a compaction overtook it"};
      case Watcher::End::Reason::kFailed:
        return {ExitCode::kFailed, watcher.end().message};
    }
    return {};
  }

  std::string name_;
  std::optional<std::string> value_;
  bool listen_ = false;
  int64_t ttl_ = kDefaultTtl;
  std::vector<std::string> command_;
};

}  // namespace

std::unique_ptr<Command> NewLockCommand() { return std::make_unique<LockCommand>(); }
std::unique_ptr<Command> NewElectCommand() { return std::make_unique<ElectCommand>(); }

}  // namespace pontoon::ctl
