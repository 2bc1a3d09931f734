// EventWalk: reads the history of a store in order.

#ifndef PONTOON_KV_WATCH_EVENT_WALK_H_
#define PONTOON_KV_WATCH_EVENT_WALK_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "kv/store/layout.h"
#include "kv/store/read_view.h"
#include "kv/store/record_reader.h"
#include "kv/watch/watch_message.h"

namespace pontoon::kv {

// The events of a view, from a revision on.
//
// Thread safety: none.
class EventWalk {
 public:
  // `view` must outlive the walk. `from` must not be compacted away, or be about to be: else events
  // can be missing.
  EventWalk(const ReadView& view, Revision from);

  // Whether the walk stands at an event. After an error it does not.
  bool Valid() const { return event_.has_value(); }
  absl::Status status() const { return status_; }

  // These need Valid(). What they point to holds until the next move.
  const Event& event() const { return *event_; }
  Revision revision() const { return id_.main; }
  // What the key was before; nothing if it did not exist, or that is compacted away.
  std::optional<KeyContent> Previous();
  void Next();

 private:
  void Settle();

  const ReadView& view_;
  const std::unique_ptr<RecordIterator> records_;
  EventId id_;
  std::optional<Event> event_;
  std::string previous_key_, previous_value_;
  absl::Status status_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_WATCH_EVENT_WALK_H_
