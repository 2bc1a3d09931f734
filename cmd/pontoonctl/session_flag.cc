#include "cmd/pontoonctl/session_flag.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/session_token_file.h"
#include "raft/env/file_system.h"

namespace pontoon::ctl {

void SessionFlag::DeclareOn(CLI::App& app) {
  app.add_option("--session", path_,
                 "A file, made if need be: see all that the commands before saw or wrote that had "
                 "it, at any server")
      ->type_name("FILE");
}

absl::Status SessionFlag::Begin(Session& session, const Environment& environment) {
  if (path_.empty()) return absl::OkStatus();
  absl::StatusOr<std::optional<SessionToken>> token = LoadSessionToken(FileSystem::Posix(), path_);
  if (!token.ok()) return token.status();
  token_ = *token;
  if (!token_.has_value()) return absl::OkStatus();
  etcdserverpb::StatusResponse status;
  const Reply reply = session.Read(Deadline::After(environment.timeout),
                                   [&](Server& server, grpc::ClientContext* context) {
                                     return server.maintenance().Status(context, {}, &status);
                                   });
  if (!reply.ok()) return absl::UnavailableError(Explain(reply));
  return CheckCluster(*token_, status.header().cluster_id(), path_);
}

void SessionFlag::AddTo(etcdserverpb::RangeRequest* request) const { AddOptionsTo(request); }
void SessionFlag::AddTo(etcdserverpb::TxnRequest* request) const { AddOptionsTo(request); }

template <typename Request>
void SessionFlag::AddOptionsTo(Request* request) const {
  if (!token_.has_value()) return;
  pontoon::v1::ReadOptions* const options = request->mutable_read_options();
  options->set_min_revision(std::max(options->min_revision(), token_->revision));
}

RangePager::Fetch SessionFlag::Through(RangePager::Fetch fetch) {
  return [this, fetch = std::move(fetch)](etcdserverpb::RangeRequest request,
                                          etcdserverpb::RangeResponse* response) {
    AddTo(&request);
    Reply reply = fetch(request, response);
    if (reply.ok()) Saw(response->header());
    return reply;
  };
}

void SessionFlag::Saw(const etcdserverpb::ResponseHeader& header) {
  if (path_.empty() || (seen_.has_value() && seen_->revision >= header.revision())) return;
  seen_ = {.cluster_id = header.cluster_id(), .revision = header.revision()};
}

Ending SessionFlag::Conclude(const Environment& environment, Ending ending) const {
  if (!seen_.has_value()) return ending;
  const absl::Status kept =
      AdvanceSessionToken(FileSystem::Posix(), path_, *seen_, Deadline::After(environment.timeout));
  if (kept.ok()) return ending;
  if (ending.code == ExitCode::kOk) ending.code = ExitCode::kPartial;
  absl::StrAppend(&ending.message, ending.message.empty() ? "done" : "",
                  ", but the session's token is not kept: ", kept.message());
  return ending;
}

}  // namespace pontoon::ctl
