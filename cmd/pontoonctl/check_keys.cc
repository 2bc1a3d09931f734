#include "cmd/pontoonctl/check_keys.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/key_range.h"
#include "cmd/pontoonctl/maintenance_calls.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::DeleteRangeResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;

// Keys that are deleted together: few enough for any request, and for its answer.
constexpr int64_t kDeletedTogether = 1000;

Reply ReadRange(Session& session, const Environment& environment, const RangeRequest& request,
                RangeResponse* response) {
  return session.Read(Deadline::After(environment.timeout),
                      [&](Server& server, grpc::ClientContext* context) {
                        return server.kv().Range(context, request, response);
                      });
}

// To delete what is gone does no harm.
Reply DeleteKeys(Session& session, const Environment& environment, const KeyRange& range,
                 DeleteRangeResponse* response) {
  DeleteRangeRequest request;
  request.set_key(range.key);
  request.set_range_end(range.end);
  return session.WriteRepeatable(Deadline::After(environment.timeout),
                                 [&](Server& server, grpc::ClientContext* context) {
                                   return server.kv().DeleteRange(context, request, response);
                                 });
}

// `revision` is that of the last deletion.
Reply DeleteAll(Session& session, const Environment& environment, const KeyRange& range,
                int64_t* revision) {
  RangeRequest request;
  request.set_key(range.key);
  request.set_range_end(range.end);
  request.set_keys_only(true);
  request.set_limit(kDeletedTogether);
  for (;;) {
    RangeResponse first;
    Reply reply = ReadRange(session, environment, request, &first);
    if (!reply.ok()) return reply;
    const bool are_more = first.more() && !first.kvs().empty();
    const std::string end = are_more ? first.kvs().rbegin()->key() + '\0' : range.end;
    DeleteRangeResponse deleted;
    reply = DeleteKeys(session, environment, {range.key, end}, &deleted);
    *revision = deleted.header().revision();
    if (!reply.ok() || !are_more) return reply;
  }
}

}  // namespace

void CheckKeys::DeclareOn(CLI::App& app) {
  app.add_option("--prefix", prefix_, "What the keys begin with that are written")
      ->check([](const std::string& prefix) {
        return prefix.empty() ? "that would be all keys" : std::string();
      });
  app.add_flag("--auto-compact", compact_, "Compact afterwards, up to the last of its writes");
  app.add_flag("--auto-defrag", defragment_, "Defragment each endpoint afterwards");
}

Ending CheckKeys::CheckNone(Session& session, const Environment& environment) const {
  const KeyRange range = KeyRange::Prefix(prefix_);
  RangeRequest request;
  request.set_key(range.key);
  request.set_range_end(range.end);
  request.set_count_only(true);
  RangeResponse response;
  const Reply reply = ReadRange(session, environment, request, &response);
  if (!reply.ok()) return EndingOfRead(reply);
  if (response.count() == 0) return {};
  return {ExitCode::kFailed,
          absl::StrCat("there are ", response.count(), " keys that begin with ", prefix_,
                       "; if nobody needs them: pontoonctl del --prefix ", prefix_)};
}

Ending CheckKeys::TidyUp(Session& session, const Environment& environment) const {
  int64_t revision = 0;
  Reply reply = DeleteAll(session, environment, KeyRange::Prefix(prefix_), &revision);
  if (!reply.ok()) {
    return {ExitCode::kFailed, absl::StrCat("its keys could not be deleted: ", Explain(reply))};
  }
  if (compact_) {
    reply = Compact(session, environment, {.revision = revision, .physical = true});
    if (!reply.ok()) {
      return {ExitCode::kFailed, absl::StrCat("it could not compact: ", Explain(reply))};
    }
  }
  if (!defragment_) return {};
  for (const Endpoint& endpoint : environment.endpoints) {
    reply = Defragment(endpoint, environment);
    if (!reply.ok()) {
      return {ExitCode::kFailed,
              absl::StrCat("it could not defragment ", endpoint.address(), ": ", Explain(reply))};
    }
  }
  return {};
}

}  // namespace pontoon::ctl
