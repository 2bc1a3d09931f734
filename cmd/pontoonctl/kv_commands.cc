// put, get, del and compact.

#include <CLI/CLI.hpp>
#include <iterator>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/display_flags.h"
#include "cmd/pontoonctl/fence_flag.h"
#include "cmd/pontoonctl/kv_flags.h"
#include "cmd/pontoonctl/kv_printer.h"
#include "cmd/pontoonctl/maintenance_calls.h"
#include "cmd/pontoonctl/range_pager.h"
#include "cmd/pontoonctl/range_printer.h"
#include "cmd/pontoonctl/read_flags.h"
#include "cmd/pontoonctl/session.h"
#include "cmd/pontoonctl/session_flag.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;

Ending UsageError(const absl::Status& status) {
  return ctl::UsageError(std::string(status.message()));
}

Ending Failure(const absl::Status& status) {
  return {ExitCode::kFailed, std::string(status.message())};
}

// Sends a write within the session of --session, and prints the response.
template <typename Response>
Ending Write(const Environment& environment, SessionFlag& session_flag, const DisplayFlags& display,
             absl::FunctionRef<grpc::Status(Server&, grpc::ClientContext*, Response*)> send) {
  Session session(environment.endpoints);
  if (absl::Status s = session_flag.Begin(session, environment); !s.ok()) return Failure(s);
  Response response;
  const Reply reply = session.Write(Deadline::After(environment.timeout),
                                    [&](Server& server, grpc::ClientContext* context) {
                                      return send(server, context, &response);
                                    });
  if (reply.ok()) {
    session_flag.Saw(response.header());
    display.NewPrinter(environment).Print(response);
  }
  return session_flag.Conclude(environment, EndingOfWrite(reply));
}

class PutCommand : public Command {
 public:
  Description Describe() const override {
    return {"put", "Writes a key",
            R"(A put whose answer is lost is not sent again: it may have been applied. Such an
end has exit code 4.

Examples:
  pontoonctl put greeting hello
  pontoonctl put config/main < main.conf
  pontoonctl put --prev-kv greeting "good morning"
  pontoonctl put --ignore-value --lease 694d8257011bd5e3 greeting
  pontoonctl put options -- --verbose
  pontoonctl lock job -- sh -c 'pontoonctl put job/state done --fence'
  pontoonctl put greeting hello --session s  (a get with --session s sees it anywhere)
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    flags_.DeclareOn(app);
    fence_flag_.DeclareOn(app);
    session_flag_.DeclareOn(app);
    display_.DeclareOn(app);
  }

  Ending Run(const Environment& environment) override {
    std::string value;
    if (flags_.ValueIsElsewhere()) {
      value.assign(std::istreambuf_iterator<char>(environment.terminal.in), {});
    }
    auto request = flags_.Build(std::move(value));
    if (!request.ok()) return UsageError(request.status());
    if (absl::Status s = fence_flag_.AddTo(&*request); !s.ok()) return UsageError(s);
    using Response = etcdserverpb::PutResponse;
    return Write<Response>(environment, session_flag_, display_,
                           [&](Server& server, grpc::ClientContext* context, Response* response) {
                             return server.kv().Put(context, *request, response);
                           });
  }

 private:
  PutFlags flags_;
  FenceFlag fence_flag_;
  SessionFlag session_flag_;
  DisplayFlags display_;
};

class GetCommand : public Command {
 public:
  Description Describe() const override {
    return {"get", "Reads a key or a range of keys",
            R"(Examples:
  pontoonctl get greeting
  pontoonctl get --prefix config/ --keys-only
  pontoonctl get a c                  (the keys from a on, without c)
  pontoonctl get --from-key "" --count-only
  pontoonctl get --prefix config/ --sort-by modify --order descend --limit 10
  pontoonctl get greeting --rev 7 --output json
  pontoonctl get greeting --max-staleness 2s  (from any server that can prove that)
  pontoonctl get greeting --consistency follower --session s  (from any server, once
                                      it has what earlier commands with it saw)

A range is read in pages, all of one revision, and printed as they come: if a page
cannot be read, what stands there is a beginning. In another order than that of
the keys it is one answer, which the server may refuse as too large.

Only --output json tells how a read was served: read_report has the consistency (if
none is named, linearizable) and the staleness bound that was proven, and the header
the member, its term and the revision.
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    flags_.DeclareOn(app);
    read_flags_.DeclareOn(app);
    session_flag_.DeclareOn(app);
    app.add_flag("--print-value-only", print_value_only_, "Print the values without the keys");
    display_.DeclareOn(app);
  }

  Ending Run(const Environment& environment) override {
    auto request = flags_.Build();
    if (!request.ok()) return UsageError(request.status());
    if (absl::Status s = read_flags_.AddTo(&*request); !s.ok()) return UsageError(s);
    if (print_value_only_ && (request->keys_only() || request->count_only())) {
      return ctl::UsageError("--print-value-only needs values: not with --keys-only, --count-only");
    }
    RangePrinter printer(display_.NewPrinter(environment), print_value_only_
                                                               ? KvPrinter::Parts::kValue
                                                               : KvPrinter::PartsOf(*request));
    Session session(environment.endpoints);
    if (absl::Status s = session_flag_.Begin(session, environment); !s.ok()) return Failure(s);
    const RangePager::Fetch fetch = session_flag_.Through(FetchFrom(session, environment));
    const Reply reply = CanBePaged(*request) ? ReadInPages(*request, fetch, printer)
                                             : ReadAtOnce(*request, fetch, printer);
    return session_flag_.Conclude(environment, EndingOfRead(reply));
  }

 private:
  // Whether pages in the order of the keys make up the answer.
  static bool CanBePaged(const RangeRequest& request) {
    return !request.range_end().empty() && !request.count_only() &&
           (request.sort_order() == RangeRequest::NONE ||
            (request.sort_order() == RangeRequest::ASCEND &&
             request.sort_target() == RangeRequest::KEY));
  }

  static RangePager::Fetch FetchFrom(Session& session, const Environment& environment) {
    return [&](const RangeRequest& request, RangeResponse* response) {
      return session.Read(Deadline::After(environment.timeout),
                          [&](Server& server, grpc::ClientContext* context) {
                            return server.kv().Range(context, request, response);
                          });
    };
  }

  static Reply ReadAtOnce(const RangeRequest& request, const RangePager::Fetch& fetch,
                          RangePrinter& printer) {
    RangeResponse response;
    Reply reply = fetch(request, &response);
    if (!reply.ok()) return reply;
    printer.Add(response);
    printer.Finish();
    return reply;
  }

  static Reply ReadInPages(RangeRequest request, const RangePager::Fetch& fetch,
                           RangePrinter& printer) {
    request.clear_sort_order();  // with one, a server would sort the whole range for each page
    RangePager pager(std::move(request), fetch);
    RangeResponse page;
    do {
      Reply reply = pager.Next(&page);
      if (!reply.ok()) return reply;
      printer.Add(page);
    } while (!pager.at_end());
    printer.Finish();
    return {};
  }

  GetFlags flags_;
  ReadFlags read_flags_;
  SessionFlag session_flag_;
  DisplayFlags display_;
  bool print_value_only_ = false;
};

class DelCommand : public Command {
 public:
  Description Describe() const override {
    return {"del", "Deletes a key or a range of keys",
            R"(Prints how many keys were deleted. A del whose answer is lost is not sent again:
it may have been applied. Such an end has exit code 4.

Examples:
  pontoonctl del greeting
  pontoonctl del --prefix config/ --prev-kv
  pontoonctl del a c                  (the keys from a on, without c)
  pontoonctl del --from-key m
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    flags_.DeclareOn(app);
    fence_flag_.DeclareOn(app);
    session_flag_.DeclareOn(app);
    display_.DeclareOn(app);
  }

  Ending Run(const Environment& environment) override {
    auto request = flags_.Build();
    if (!request.ok()) return UsageError(request.status());
    if (absl::Status s = fence_flag_.AddTo(&*request); !s.ok()) return UsageError(s);
    using Response = etcdserverpb::DeleteRangeResponse;
    return Write<Response>(environment, session_flag_, display_,
                           [&](Server& server, grpc::ClientContext* context, Response* response) {
                             return server.kv().DeleteRange(context, *request, response);
                           });
  }

 private:
  DelFlags flags_;
  FenceFlag fence_flag_;
  SessionFlag session_flag_;
  DisplayFlags display_;
};

class CompactCommand : public Command {
 public:
  Description Describe() const override {
    return {"compact", "Forgets the history before a revision",
            R"(The revision itself stays readable.

Examples:
  pontoonctl compact 12345
  pontoonctl compact 12345 --physical
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("revision", revision_, "The first revision to keep")->required();
    app.add_flag("--physical", physical_, "Wait until the old revisions are off the disk");
  }

  Ending Run(const Environment& environment) override {
    Session session(environment.endpoints);
    const Reply reply =
        Compact(session, environment, {.revision = revision_, .physical = physical_});
    if (reply.ok()) PrintResult(environment);
    return EndingOfWrite(reply);
  }

 private:
  void PrintResult(const Environment& environment) const {
    if (environment.output == OutputFormat::kJson) {
      environment.terminal.out << "{\"compacted_revision\":" << revision_ << "}\n";
    } else {
      environment.terminal.out << "compacted revision " << revision_ << '\n';
    }
  }

  int64_t revision_ = 0;
  bool physical_ = false;
};

}  // namespace

std::unique_ptr<Command> NewPutCommand() { return std::make_unique<PutCommand>(); }
std::unique_ptr<Command> NewGetCommand() { return std::make_unique<GetCommand>(); }
std::unique_ptr<Command> NewDelCommand() { return std::make_unique<DelCommand>(); }
std::unique_ptr<Command> NewCompactCommand() { return std::make_unique<CompactCommand>(); }

}  // namespace pontoon::ctl
