// import: files become keys.

#include <CLI/CLI.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/file_tree.h"
#include "cmd/pontoonctl/flag_values.h"
#include "cmd/pontoonctl/import_plan.h"
#include "cmd/pontoonctl/importer.h"
#include "cmd/pontoonctl/long_job.h"
#include "cmd/pontoonctl/progress.h"
#include "cmd/pontoonctl/range_pager.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {
namespace {

class ImportCommand : public Command {
 public:
  Description Describe() const override {
    return {"import", "Makes a key of every regular file under a directory",
            R"(The key is PREFIX followed by the file's path below DIR, nothing between: give
the slash, as in "zone/". Links are followed. Empty directories leave no key.

First all keys under PREFIX are compared with the files, and equal ones are
skipped: an import that was interrupted is resumed by running it again. Each
write is guarded by the revision at which its key was compared, so a change of
leader or a lost answer writes nothing twice and overwrites nobody's change.
A key that somebody else changes meanwhile is reported as a conflict.

Exit code 3: some files were not imported (unreadable, over the server's request
limit, or in conflict); 1: given up, run it again to resume.

Examples:
  pontoonctl import /usr/share/zoneinfo zone/
  pontoonctl import --dry-run --delete ./config config/
  pontoonctl --endpoints a:2379,b:2379,c:2379 import --concurrency 64 ./data data/
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("dir", options_.directory, "The directory")->required();
    app.add_option("prefix", options_.prefix, "What the keys begin with")->required();
    app.add_option("--concurrency", options_.concurrency, "Writes in flight")
        ->check(CLI::Range(1, 1024));
    AddDurationFlag(app, "--retry-for", options_.patience.retry_for,
                    "How long a request is tried again while no server answers");
    app.add_flag("--overwrite", overwrite_,
                 "Overwrite keys that somebody else changes meanwhile, too");
    app.add_flag("--delete", delete_extra_, "Delete keys under PREFIX that have no file");
    app.add_flag("--dry-run", dry_run_, "Only print what would be written and deleted");
  }

  Ending Run(const Environment& environment) override {
    options_.patience.timeout = environment.timeout;
    if (overwrite_) options_.on_conflict = GuardedWrite::OnConflict::kOverwrite;
    const absl::StatusOr<FileTree> tree = ReadFileTree(options_.directory);
    if (!tree.ok()) return UsageError(std::string(tree.status().message()));
    Session session(environment.endpoints);
    ImportTotals totals;
    ImportPlan plan;
    Progress progress("import", environment.terminal);
    JobLog log(progress);
    for (const std::string& note : tree->notes) log.Note(note);
    for (const std::string& error : tree->errors) log.Problem(error);
    totals.failed = tree->errors.size();
    // A directory that cannot be read hides its files: their keys are no extra ones.
    if (delete_extra_ && !tree->errors.empty()) {
      return {ExitCode::kFailed,
              "with --delete, all of the directory must be readable; nothing was written"};
    }
    const Reply reply = Compare(tree->files, session, log, progress, plan);
    if (!reply.ok()) return EndingOfRead(reply);
    totals.equal = plan.equal;
    totals.extra = plan.extra;
    std::string given_up;
    if (!dry_run_) given_up = Importer(options_, session, log, progress).Run(plan.writes, totals);
    progress.Finish();
    dry_run_ ? PrintPlan(plan, environment) : PrintTotals(totals, environment);
    if (!given_up.empty()) {
      return {ExitCode::kFailed,
              absl::StrCat("given up after ", absl::FormatDuration(options_.patience.retry_for),
                           "; run it again to resume: ", given_up)};
    }
    if (totals.failed + totals.conflicts == 0) return {};
    return {ExitCode::kPartial,
            absl::StrCat(totals.failed, " failed, ", totals.conflicts, " in conflict")};
  }

 private:
  // Reads all keys under the prefix and plans against them.
  Reply Compare(const std::vector<TreeFile>& files, Session& session, JobLog& log,
                Progress& progress, ImportPlan& plan) {
    ImportPlanner planner(
        files, options_.prefix,
        delete_extra_ ? ImportPlanner::ExtraKeys::kDelete : ImportPlanner::ExtraKeys::kKeep,
        [this](const TreeFile& file) {
          return Importer::ReadImportFile(options_, file.relative_path);
        });
    RangePager pager(KeyRange::Prefix(options_.prefix),
                     PageFetcher(session, options_.patience, log));
    etcdserverpb::RangeResponse page;
    do {
      const Reply reply = pager.Next(&page);
      if (!reply.ok()) return reply;
      for (const mvccpb::KeyValue& kv : page.kvs()) planner.AddKey(kv);
    } while (!page.kvs().empty());
    plan = planner.Finish();
    progress.Expect(plan.equal + plan.writes.size());
    progress.Add(plan.equal);
    return {};
  }

  void PrintPlan(const ImportPlan& plan, const Environment& environment) const {
    for (const PlannedWrite& write : plan.writes) {
      environment.terminal.out << (write.kind == PlannedWrite::Kind::kPut ? "put " : "delete ")
                               << absl::CEscape(options_.prefix + write.relative_path) << '\n';
    }
  }

  void PrintTotals(const ImportTotals& totals, const Environment& environment) const {
    const Record record = {{"written", totals.written}, {"written bytes", totals.written_bytes},
                           {"equal", totals.equal},     {"deleted", totals.deleted},
                           {"extra", totals.extra},     {"conflicts", totals.conflicts},
                           {"failed", totals.failed}};
    PrintRecord(record, environment.output.value_or(OutputFormat::kPlain),
                environment.terminal.out);
  }

  ImportOptions options_{
      .directory = {}, .prefix = {}, .patience = {.timeout = {}, .retry_for = absl::Minutes(1)}};
  bool overwrite_ = false;
  bool delete_extra_ = false;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> NewImportCommand() { return std::make_unique<ImportCommand>(); }

}  // namespace pontoon::ctl
