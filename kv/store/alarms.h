// AlarmSet: what is wrong with which members, as the whole cluster knows it.

#ifndef PONTOON_KV_STORE_ALARMS_H_
#define PONTOON_KV_STORE_ALARMS_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/rpc.pb.h"
#include "raft/base/types.h"

namespace pontoon::kv {

// Part of the replicated state: a command raises or clears an alarm, and while one is raised other
// commands are refused, on every member alike.
//
// Thread safety: a value.
class AlarmSet {
 public:
  struct Alarm {
    etcdserverpb::AlarmType type;
    NodeId member;

    friend auto operator<=>(const Alarm&, const Alarm&) = default;
  };

  bool IsRaised(etcdserverpb::AlarmType type) const;
  // By type, then by member.
  const std::vector<Alarm>& raised() const { return alarms_; }

  void Raise(const Alarm& alarm);
  // False if it was not raised.
  bool Clear(const Alarm& alarm);

  // The value of a record.
  std::string Encode() const;
  static std::optional<AlarmSet> Decode(std::string_view bytes);

  friend bool operator==(const AlarmSet&, const AlarmSet&) = default;

 private:
  std::vector<Alarm> alarms_;  // sorted
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_ALARMS_H_
