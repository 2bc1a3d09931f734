#include "kv/store/alarms.h"

#include <algorithm>
#include <cstdint>

#include "kv/store/layout.h"

namespace pontoon::kv {

bool AlarmSet::IsRaised(etcdserverpb::AlarmType type) const {
  return std::any_of(alarms_.begin(), alarms_.end(),
                     [type](const Alarm& alarm) { return alarm.type == type; });
}

void AlarmSet::Raise(const Alarm& alarm) {
  const auto place = std::lower_bound(alarms_.begin(), alarms_.end(), alarm);
  if (place == alarms_.end() || *place != alarm) alarms_.insert(place, alarm);
}

bool AlarmSet::Clear(const Alarm& alarm) {
  const auto place = std::lower_bound(alarms_.begin(), alarms_.end(), alarm);
  if (place == alarms_.end() || *place != alarm) return false;
  alarms_.erase(place);
  return true;
}

std::string AlarmSet::Encode() const {
  std::string bytes;
  for (const Alarm& alarm : alarms_) {
    AppendFixed64(static_cast<uint64_t>(alarm.type), &bytes);
    AppendFixed64(alarm.member.value(), &bytes);
  }
  return bytes;
}

std::optional<AlarmSet> AlarmSet::Decode(std::string_view bytes) {
  AlarmSet set;
  while (!bytes.empty()) {
    const std::optional<uint64_t> type = TakeFixed64(&bytes);
    const std::optional<uint64_t> member = TakeFixed64(&bytes);
    if (!type || !member) return std::nullopt;
    set.Raise({static_cast<etcdserverpb::AlarmType>(*type), NodeId(*member)});
  }
  return set;
}

}  // namespace pontoon::kv
