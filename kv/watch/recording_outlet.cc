#include "kv/watch/recording_outlet.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::WatchResponse;

std::string TextOf(const mvccpb::Event& event) {
  if (event.type() == mvccpb::Event::PUT) {
    return absl::StrCat(event.kv().key(), "=", event.kv().value());
  }
  return absl::StrCat("-", event.kv().key());
}

std::string TextOf(const WatchResponse& response) {
  std::string text = response.watch_id() == -1 && !response.created()
                         ? "progress"
                         : absl::StrCat(response.watch_id());
  if (response.created()) text += " created";
  if (response.canceled()) text += " canceled";
  if (!response.cancel_reason().empty()) absl::StrAppend(&text, ": ", response.cancel_reason());
  if (response.compact_revision() != 0) {
    absl::StrAppend(&text, " compacted ", response.compact_revision());
  }
  if (response.canceled()) return text;
  absl::StrAppend(&text, " @", response.header().revision());
  if (response.events().empty()) return text;
  text += response.fragment() ? " part:" : ":";
  int64_t revision = 0;
  for (const mvccpb::Event& event : response.events()) {
    text += " ";
    if (event.kv().mod_revision() != std::exchange(revision, event.kv().mod_revision())) {
      absl::StrAppend(&text, revision, ":");
    }
    text += TextOf(event);
    if (event.has_prev_kv()) absl::StrAppend(&text, "(was ", event.prev_kv().value(), ")");
  }
  return text;
}

}  // namespace

WatchOutlet::Room RecordingOutlet::Send(grpc::ByteBuffer message) {
  WatchResponse response;
  CHECK(grpc::SerializationTraits<WatchResponse>::Deserialize(&message, &response).ok());
  responses_.push_back(std::move(response));
  return responses_.size() < room_ ? Room::kEnough : Room::kFull;
}

std::vector<std::string> RecordingOutlet::Take() {
  std::vector<std::string> texts;
  for (const WatchResponse& response : TakeResponses()) texts.push_back(TextOf(response));
  return texts;
}

std::vector<WatchResponse> RecordingOutlet::TakeResponses() {
  return std::exchange(responses_, {});
}

}  // namespace pontoon::kv
