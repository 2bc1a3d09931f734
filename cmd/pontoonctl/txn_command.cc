// txn: a transaction, typed in or from a file.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/fence_flag.h"
#include "cmd/pontoonctl/kv_printer.h"
#include "cmd/pontoonctl/read_flags.h"
#include "cmd/pontoonctl/session.h"
#include "cmd/pontoonctl/session_flag.h"
#include "cmd/pontoonctl/txn_parser.h"

namespace pontoon::ctl {
namespace {

const char* PromptFor(TxnParser::Part part) {
  switch (part) {
    case TxnParser::Part::kCompares:
      return "compares:\n";
    case TxnParser::Part::kSuccess:
      return "success requests (get, put, del):\n";
    case TxnParser::Part::kFailure:
      return "failure requests (get, put, del):\n";
    case TxnParser::Part::kDone:
      return "";
  }
  return "";
}

// Reads up to the end of the third part, and asks for each part on `prompts`.
absl::StatusOr<etcdserverpb::TxnRequest> ReadTyped(std::istream& in, std::ostream& prompts) {
  TxnParser parser;
  std::string line;
  TxnParser::Part asked_for = TxnParser::Part::kDone;
  while (parser.part() != TxnParser::Part::kDone) {
    if (parser.part() != asked_for) prompts << PromptFor(parser.part()) << std::flush;
    asked_for = parser.part();
    if (!std::getline(in, line)) break;
    if (const absl::Status status = parser.AddLine(line); !status.ok()) return status;
  }
  return parser.request();
}

// Reads all of `in`, which must hold one transaction and no more.
absl::StatusOr<etcdserverpb::TxnRequest> ReadAll(std::istream& in) {
  TxnParser parser;
  std::string line;
  while (std::getline(in, line)) {
    if (const absl::Status status = parser.AddLine(line); !status.ok()) return status;
  }
  return parser.request();
}

class TxnCommand : public Command {
 public:
  Description Describe() const override {
    return {"txn", "Compares, then does one of two lists of requests, all at once",
            R"(Reads three parts, each ended by an empty line: comparisons, the requests to do
if all of them hold, and the requests to do if not. Without --file it asks for
each part. A comparison is TARGET("KEY") OPERATOR "VALUE": the targets are
value, version, create, mod (revisions) and lease (hexadecimal ID), the
operators = != < >. The requests are get, put and del with their own flags.

Exit code 0: all comparisons held; 3: not all, and the failure requests were
done. A transaction whose answer is lost is not sent again: exit code 4.

--consistency, --max-staleness and --min-revision are for transactions that only
read; one that writes is refused with them. With --output json, read_report and the
header tell how it was served (see "pontoonctl get --help").

Examples:
  pontoonctl txn
  pontoonctl txn --file take-lock.txn
  printf 'mod("lock") = "0"\n\nput lock me\n\nget lock\n\n' | pontoonctl txn --file -
  printf '\nget a\nget b\n' | pontoonctl txn --file - --max-staleness 2s
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    CLI::Option* file =
        app.add_option("--file", file_, "Read it from this file; -: standard input");
    app.add_flag("-i,--interactive", interactive_, "Ask for it; this is the default")
        ->excludes(file);
    app.add_flag("--hex", hex_, "Print each byte as \\xNN");
    fence_flag_.DeclareOn(app);
    read_flags_.DeclareOn(app);
    session_flag_.DeclareOn(app);
  }

  Ending Run(const Environment& environment) override {
    auto request = ReadRequest(environment.terminal);
    if (!request.ok()) return UsageError(std::string(request.status().message()));
    if (absl::Status s = fence_flag_.AddTo(&*request); !s.ok()) {
      return UsageError(std::string(s.message()));
    }
    if (absl::Status s = read_flags_.AddTo(&*request); !s.ok()) {
      return UsageError(std::string(s.message()));
    }
    Session session(environment.endpoints);
    if (absl::Status s = session_flag_.Begin(session, environment); !s.ok()) {
      return {ExitCode::kFailed, std::string(s.message())};
    }
    const bool only_reads = OnlyReads(*request);
    if (only_reads) session_flag_.AddTo(&*request);
    etcdserverpb::TxnResponse response;
    const auto send = [&](Server& server, grpc::ClientContext* context) {
      return server.kv().Txn(context, *request, &response);
    };
    const Deadline deadline = Deadline::After(environment.timeout);
    const Reply reply = only_reads ? session.Read(deadline, send) : session.Write(deadline, send);
    if (!reply.ok()) return only_reads ? EndingOfRead(reply) : EndingOfWrite(reply);
    KvPrinter(environment.output.value_or(OutputFormat::kPlain),
              hex_ ? KvPrinter::Bytes::kHex : KvPrinter::Bytes::kRaw, environment.terminal.out)
        .Print(*request, response);
    session_flag_.Saw(response.header());
    return session_flag_.Conclude(environment,
                                  {response.succeeded() ? ExitCode::kOk : ExitCode::kPartial});
  }

 private:
  absl::StatusOr<etcdserverpb::TxnRequest> ReadRequest(const Terminal& terminal) const {
    // The prompts go to stderr, so that the output holds nothing but the answer.
    if (file_.empty()) return ReadTyped(terminal.in, terminal.err);
    if (file_ == "-") return ReadAll(terminal.in);
    std::ifstream file(file_);
    if (!file) return absl::NotFoundError(absl::StrCat("cannot open ", file_));
    auto request = ReadAll(file);
    if (request.ok()) return request;
    return absl::InvalidArgumentError(absl::StrCat(file_, ": ", request.status().message()));
  }

  // All operations only read, so that it may be sent again like a get.
  static bool OnlyReads(const etcdserverpb::TxnRequest& request) {
    const auto reads = [](const etcdserverpb::RequestOp& operation) {
      return operation.has_request_range();
    };
    return std::all_of(request.success().begin(), request.success().end(), reads) &&
           std::all_of(request.failure().begin(), request.failure().end(), reads);
  }

  std::string file_;
  bool interactive_ = false;
  bool hex_ = false;
  FenceFlag fence_flag_;
  ReadFlags read_flags_;
  SessionFlag session_flag_;
};

}  // namespace

std::unique_ptr<Command> NewTxnCommand() { return std::make_unique<TxnCommand>(); }

}  // namespace pontoon::ctl
