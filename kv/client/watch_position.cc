#include "kv/client/watch_position.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "kv/errors.h"

namespace pontoon {
namespace {

using etcdserverpb::WatchResponse;

// A reason is the text of a gRPC status as Go writes it, or just the text of an error.
bool Says(const WatchResponse& response, const kv::ApiError& error) {
  return absl::EndsWith(response.cancel_reason(), error.text);
}

WatchNews WhyCancelled(const WatchResponse& response) {
  if (response.compact_revision() > 0) return WatchNews::kCompacted;
  if (Says(response, kv::kErrNoLeader)) return WatchNews::kLost;
  for (const kv::ApiError& error :
       {kv::kErrInvalidAuthToken, kv::kErrAuthOldRevision, kv::kErrUserEmpty}) {
    if (Says(response, error)) return WatchNews::kTokenStale;
  }
  return WatchNews::kRefused;
}

}  // namespace

WatchNews WatchPosition::Take(WatchResponse* response) {
  if (response->canceled()) return WhyCancelled(*response);
  auto* const events = response->mutable_events();
  const auto is_new = [&](const mvccpb::Event& event) {
    return event.kv().mod_revision() >= next_;
  };
  events->erase(events->begin(), std::find_if(events->begin(), events->end(), is_new));
  if (!events->empty()) {
    next_ = events->rbegin()->kv().mod_revision() + 1;
    return WatchNews::kEvents;
  }
  const int64_t after = response->header().revision() + 1;
  if (response->created()) {
    // From now on "from now on" has a number. With another start there may be events before the
    // header's revision that are still to come.
    if (next_ == 0) next_ = after;
    return WatchNews::kNothing;
  }
  if (after <= next_) return WatchNews::kNothing;
  next_ = after;
  return WatchNews::kProgress;
}

}  // namespace pontoon
