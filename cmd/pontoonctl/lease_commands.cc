// lease grant, revoke, timetolive, list and keep-alive.

#include <CLI/CLI.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/interrupt_listener.h"
#include "cmd/pontoonctl/kv_flags.h"
#include "cmd/pontoonctl/lease_calls.h"
#include "cmd/pontoonctl/lease_keeper.h"

namespace pontoon::ctl {
namespace {

// The ID of a lease that must be there.
class LeaseArgument {
 public:
  void DeclareOn(CLI::App& app) {
    app.add_option("id", text_, "The lease's ID, as \"lease grant\" prints it")->required();
  }

  absl::StatusOr<int64_t> Parse() const {
    const absl::StatusOr<int64_t> id = ParseLease(text_);
    if (!id.ok() || *id != 0) return id;
    return absl::InvalidArgumentError("0 is no lease ID");
  }

 private:
  std::string text_;
};

// A line of etcdctl's for people, or the same as a record.
void Print(const std::string& line, const Record& record, const Environment& environment) {
  const OutputFormat format = environment.output.value_or(OutputFormat::kPlain);
  if (format == OutputFormat::kPlain) {
    environment.terminal.out << line << '\n';
  } else {
    PrintRecord(record, format, environment.terminal.out);
  }
}

class LeaseGrantCommand : public Command {
 public:
  Description Describe() const override {
    return {"lease grant", "Makes a lease: keys attached to it are deleted when it ends",
            R"(It lives for TTL seconds from its last renewal; servers raise a TTL that is shorter
than an election takes. A grant whose answer is lost is not sent again; a lease that
it made ends by itself.

Examples:
  pontoonctl lease grant 60
  pontoonctl lease grant 60 --id 694d8257011bd5e3
  pontoonctl put --lease 694d8257011bd5e3 hosts/me here
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("ttl", ttl_, "Seconds")->required()->check(CLI::PositiveNumber);
    app.add_option("--id", id_, "The ID that it gets (hexadecimal); 0: the server chooses");
  }

  Ending Run(const Environment& environment) override {
    const absl::StatusOr<int64_t> id = ParseLease(id_);
    if (!id.ok()) return UsageError(std::string(id.status().message()));
    etcdserverpb::LeaseGrantRequest request;
    request.set_ttl(ttl_);
    request.set_id(*id);
    etcdserverpb::LeaseGrantResponse response;
    Session session(environment.endpoints);
    const Reply reply =
        GrantLease(session, Deadline::After(environment.timeout), request, &response);
    if (!reply.ok()) return EndingOfWrite(reply);
    const std::string name = FormatLease(response.id());
    Print(absl::StrCat("lease ", name, " granted with TTL(", response.ttl(), "s)"),
          {{"id", name}, {"ttl", response.ttl()}}, environment);
    return {};
  }

 private:
  int64_t ttl_ = 0;
  std::string id_ = "0";
};

class LeaseRevokeCommand : public Command {
 public:
  Description Describe() const override {
    return {"lease revoke", "Ends a lease and deletes its keys",
            R"(Examples:
  pontoonctl lease revoke 694d8257011bd5e3
)"};
  }

  void DeclareFlags(CLI::App& app) override { lease_.DeclareOn(app); }

  Ending Run(const Environment& environment) override {
    const absl::StatusOr<int64_t> id = lease_.Parse();
    if (!id.ok()) return UsageError(std::string(id.status().message()));
    Session session(environment.endpoints);
    const Reply reply = RevokeLease(session, Deadline::After(environment.timeout), *id);
    if (reply.ok()) {
      Print(absl::StrCat("lease ", FormatLease(*id), " revoked"), {{"id", FormatLease(*id)}},
            environment);
    }
    return EndingOfWrite(reply);
  }

 private:
  LeaseArgument lease_;
};

class LeaseTimeToLiveCommand : public Command {
 public:
  Description Describe() const override {
    return {"lease timetolive", "Shows how long a lease still lives, and its keys",
            R"(Exit code 1: there is no such lease, or no longer.

Examples:
  pontoonctl lease timetolive 694d8257011bd5e3
  pontoonctl lease timetolive 694d8257011bd5e3 --keys --output json
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    lease_.DeclareOn(app);
    app.add_flag("--keys", keys_, "Print the keys that are attached to it, too");
  }

  Ending Run(const Environment& environment) override {
    const absl::StatusOr<int64_t> id = lease_.Parse();
    if (!id.ok()) return UsageError(std::string(id.status().message()));
    etcdserverpb::LeaseTimeToLiveRequest request;
    request.set_id(*id);
    request.set_keys(keys_);
    etcdserverpb::LeaseTimeToLiveResponse response;
    const Reply reply =
        Session(environment.endpoints)
            .Read(Deadline::After(environment.timeout),
                  [&](Server& server, grpc::ClientContext* context) {
                    return server.lease().LeaseTimeToLive(context, request, &response);
                  });
    if (!reply.ok()) return EndingOfRead(reply);
    const std::string name = FormatLease(*id);
    if (response.ttl() < 0) {
      Print(absl::StrCat("lease ", name, " already expired"),
            {{"id", name}, {"ttl", Cell::None()}, {"granted ttl", Cell::None()}}, environment);
      return {ExitCode::kFailed};
    }
    std::string line = absl::StrCat("lease ", name, " granted with TTL(", response.grantedttl(),
                                    "s), remaining(", response.ttl(), "s)");
    Record record = {{"id", name}, {"ttl", response.ttl()}, {"granted ttl", response.grantedttl()}};
    if (keys_) {
      const std::string keys = absl::StrJoin(response.keys(), " ");
      absl::StrAppend(&line, ", attached keys([", keys, "])");
      record.push_back({"keys", keys});
    }
    Print(line, record, environment);
    return {};
  }

 private:
  LeaseArgument lease_;
  bool keys_ = false;
};

class LeaseListCommand : public Command {
 public:
  Description Describe() const override {
    return {"lease list", "Lists the leases that there are",
            R"(Examples:
  pontoonctl lease list
)"};
  }

  void DeclareFlags(CLI::App&) override {}

  Ending Run(const Environment& environment) override {
    etcdserverpb::LeaseLeasesResponse response;
    const Reply reply = Session(environment.endpoints)
                            .Read(Deadline::After(environment.timeout),
                                  [&](Server& server, grpc::ClientContext* context) {
                                    return server.lease().LeaseLeases(context, {}, &response);
                                  });
    if (!reply.ok()) return EndingOfRead(reply);
    Table table({"id"});
    for (const auto& lease : response.leases()) table.AddRow({FormatLease(lease.id())});
    const OutputFormat format = environment.output.value_or(OutputFormat::kPlain);
    if (format == OutputFormat::kPlain) {
      environment.terminal.out << "found " << response.leases_size() << " leases\n";
    }
    table.Print(format, environment.terminal.out);
    return {};
  }
};

class LeaseKeepAliveCommand : public Command {
 public:
  Description Describe() const override {
    return {"lease keep-alive", "Renews a lease, once or until it is interrupted",
            R"(It renews it each time a third of its time has gone, at whatever endpoint answers.

Exit code 1: the lease is over, or may be, since no server has renewed it in time.

Examples:
  pontoonctl lease keep-alive 694d8257011bd5e3
  pontoonctl lease keep-alive --once 694d8257011bd5e3
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    lease_.DeclareOn(app);
    app.add_flag("--once", once_, "Renew it once, and end");
  }

  Ending Run(const Environment& environment) override {
    const absl::StatusOr<int64_t> id = lease_.Parse();
    if (!id.ok()) return UsageError(std::string(id.status().message()));
    End end;
    const InterruptListener listener([&](const InterruptListener::Interrupt&) { end.Set({}); });
    Session session(environment.endpoints);
    const Deadline now = Deadline::After(absl::ZeroDuration());
    etcdserverpb::LeaseKeepAliveResponse response;
    const Reply reply = RenewLease(session, Deadline::After(environment.timeout), *id, &response);
    if (!reply.ok()) return EndingOfRead(reply);
    if (response.ttl() <= 0) return Lost(*id, "there is no such lease, or no longer");
    const absl::Duration ttl = absl::Seconds(response.ttl());
    PrintRenewed(*id, ttl, environment);
    if (once_) return {};
    const LeaseKeeper keeper(
        session, {*id, ttl, now.Later(ttl)},
        {.on_renewed = [&](absl::Duration renewed) { PrintRenewed(*id, renewed, environment); },
         .on_lost = [&](const std::string& why) { end.Set(Lost(*id, why)); }});
    return end.Await();
  }

 private:
  // How it ends: by the user, or by the loss of the lease.
  class End {
   public:
    void Set(Ending ending) {
      absl::MutexLock lock(&mutex_);
      if (!std::exchange(over_, true)) ending_ = std::move(ending);
    }

    Ending Await() {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&over_));
      return ending_;
    }

   private:
    absl::Mutex mutex_;
    bool over_ ABSL_GUARDED_BY(mutex_) = false;
    Ending ending_ ABSL_GUARDED_BY(mutex_) = {};
  };

  static Ending Lost(int64_t id, const std::string& why) {
    return {ExitCode::kFailed,
            absl::StrCat("lease ", FormatLease(id), " expired or revoked: ", why)};
  }

  static void PrintRenewed(int64_t id, absl::Duration ttl, const Environment& environment) {
    const int64_t seconds = absl::ToInt64Seconds(ttl);
    Print(absl::StrCat("lease ", FormatLease(id), " keepalived with TTL(", seconds, ")"),
          {{"id", FormatLease(id)}, {"ttl", seconds}}, environment);
    environment.terminal.out.flush();
  }

  LeaseArgument lease_;
  bool once_ = false;
};

}  // namespace

std::unique_ptr<Command> NewLeaseGrantCommand() { return std::make_unique<LeaseGrantCommand>(); }
std::unique_ptr<Command> NewLeaseRevokeCommand() { return std::make_unique<LeaseRevokeCommand>(); }
std::unique_ptr<Command> NewLeaseTimeToLiveCommand() {
  return std::make_unique<LeaseTimeToLiveCommand>();
}
std::unique_ptr<Command> NewLeaseListCommand() { return std::make_unique<LeaseListCommand>(); }
std::unique_ptr<Command> NewLeaseKeepAliveCommand() {
  return std::make_unique<LeaseKeepAliveCommand>();
}

}  // namespace pontoon::ctl
