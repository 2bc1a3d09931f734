// export: keys become files.

#include <CLI/CLI.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/export_tree.h"
#include "cmd/pontoonctl/flag_values.h"
#include "cmd/pontoonctl/key_range.h"
#include "cmd/pontoonctl/long_job.h"
#include "cmd/pontoonctl/progress.h"
#include "cmd/pontoonctl/range_pager.h"
#include "cmd/pontoonctl/read_flags.h"
#include "cmd/pontoonctl/session.h"
#include "cmd/pontoonctl/session_flag.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::RangeRequest;

struct ExportTotals {
  uint64_t written = 0;
  uint64_t written_bytes = 0;
  uint64_t equal = 0;
  uint64_t failed = 0;
};

class ExportCommand : public Command {
 public:
  Description Describe() const override {
    return {"export", "Makes a file of every key under a prefix",
            R"(The file is DIR/ followed by the rest of the key after PREFIX. All keys are read
at one revision. Each file is written under another name and renamed; files that
have the right bytes already are left alone, so an export that was interrupted
is resumed by running it again. Files in DIR that have no key stay.

Keys that are no safe file names are refused (an empty name, "..", an absolute
path, a NUL byte), as are keys that need a file and a directory of one name.

With --serializable the one given endpoint answers from its own state, without
its leader: to compare what each member has. With --consistency follower any of
the endpoints may do so, page by page, still at one revision.

Exit code 3: some keys were refused or could not be written; 1: given up, run it
again to resume.

Examples:
  pontoonctl export zone/ /tmp/zone
  pontoonctl --endpoints 10.0.0.2:2379 export --serializable config/ ./config-of-2
  pontoonctl export zone/ /tmp/zone --max-staleness 2s  (from any server that can prove that)
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("prefix", prefix_, "What the keys begin with")->required();
    app.add_option("dir", directory_, "The directory; it is made if need be")->required();
    app.add_flag("--serializable", serializable_, "Read the state of the one given endpoint");
    read_flags_.DeclareOn(app);
    session_flag_.DeclareOn(app);
    AddDurationFlag(app, "--retry-for", retry_for_,
                    "How long a request is tried again while no server answers");
  }

  Ending Run(const Environment& environment) override {
    if (serializable_ && environment.endpoints.size() != 1) {
      return UsageError("--serializable reads one member's own state: give one endpoint");
    }
    const absl::StatusOr<RangeRequest> request = BuildRequest();
    if (!request.ok()) return UsageError(std::string(request.status().message()));
    auto tree = ExportTree::Open(directory_);
    if (!tree.ok()) return {ExitCode::kFailed, std::string(tree.status().message())};
    Session session(environment.endpoints);
    if (absl::Status s = session_flag_.Begin(session, environment); !s.ok()) {
      return {ExitCode::kFailed, std::string(s.message())};
    }
    return session_flag_.Conclude(environment, Export(*request, session, **tree, environment));
  }

 private:
  absl::StatusOr<RangeRequest> BuildRequest() const {
    const KeyRange range = KeyRange::Prefix(prefix_);
    RangeRequest request;
    request.set_key(range.key);
    request.set_range_end(range.end);
    request.set_serializable(serializable_);
    if (absl::Status s = read_flags_.AddTo(&request); !s.ok()) return s;
    return request;
  }

  Ending Export(const RangeRequest& request, Session& session, ExportTree& tree,
                const Environment& environment) {
    ExportTotals totals;
    Progress progress("export", environment.terminal);
    JobLog log(progress);
    RangePager pager(request, session_flag_.Through(
                                  PageFetcher(session, {environment.timeout, retry_for_}, log)));
    etcdserverpb::RangeResponse page;
    do {
      const Reply reply = pager.Next(&page);
      if (!reply.ok()) return EndingOfRead(reply);
      progress.Expect(pager.count());
      for (const mvccpb::KeyValue& kv : page.kvs()) StoreOne(kv, tree, log, totals);
      progress.Add(page.kvs_size());
    } while (!page.kvs().empty());
    if (const absl::Status synced = tree.Sync(); !synced.ok()) {
      return {ExitCode::kFailed, std::string(synced.message())};
    }
    progress.Finish();
    PrintTotals(totals, pager.revision(), environment);
    if (totals.failed == 0) return {};
    return {ExitCode::kPartial, absl::StrCat(totals.failed, " keys were not exported")};
  }

  void StoreOne(const mvccpb::KeyValue& kv, ExportTree& tree, JobLog& log,
                ExportTotals& totals) const {
    const absl::string_view path = absl::string_view(kv.key()).substr(prefix_.size());
    const auto stored = tree.Store(path, kv.value());
    if (!stored.ok()) {
      ++totals.failed;
      log.Problem(absl::StrCat("key \"", absl::CEscape(kv.key()),
                               "\" is not exported: ", stored.status().message()));
    } else if (*stored == ExportTree::Stored::kWasEqual) {
      ++totals.equal;
    } else {
      ++totals.written;
      totals.written_bytes += kv.value().size();
    }
  }

  static void PrintTotals(const ExportTotals& totals, int64_t revision,
                          const Environment& environment) {
    const Record record = {{"written", totals.written},
                           {"written bytes", totals.written_bytes},
                           {"equal", totals.equal},
                           {"failed", totals.failed},
                           {"revision", revision}};
    PrintRecord(record, environment.output.value_or(OutputFormat::kPlain),
                environment.terminal.out);
  }

  std::string prefix_;
  std::string directory_;
  absl::Duration retry_for_ = absl::Minutes(1);
  bool serializable_ = false;
  ReadFlags read_flags_;
  SessionFlag session_flag_;
};

}  // namespace

std::unique_ptr<Command> NewExportCommand() { return std::make_unique<ExportCommand>(); }

}  // namespace pontoon::ctl
