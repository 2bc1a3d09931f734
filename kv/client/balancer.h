// Balancer: which member a call goes to.

#ifndef PONTOON_KV_CLIENT_BALANCER_H_
#define PONTOON_KV_CLIENT_BALANCER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "raft/base/instant.h"

namespace pontoon {

// Who is to be asked, if it is known and well.
enum class Prefer {
  kLeader,   // spares writes and linearizable reads the way from a follower to it
  kNearest,  // whose round trip is the shortest
};

// Knows of each address how far away it is, which member answers there, and whether it failed of
// late. A member that fails is set aside, for longer each time in a row, and is asked again before
// that only if there is no other. It starts without knowing anything, and then takes all in turn.
//
// Pure: time comes from the caller. Thread safety: none.
class Balancer {
 public:
  struct Options {
    absl::Duration set_aside_first = absl::Milliseconds(100);
    absl::Duration set_aside_longest = absl::Seconds(10);
  };

  // Members whose round trips differ by less than the larger of these two count as equally near,
  // and share what goes to the nearest.
  static constexpr absl::Duration kAlike = absl::Milliseconds(1);
  static constexpr double kAlikeRatio = 0.2;
  // Who was overtaken so often in a row, by hedged reads, has failed.
  static constexpr int kOvertakenMax = 3;

  explicit Balancer(const Options& options) : options_(options) {}

  // From now on these are chosen from; what is known of those that stay is kept.
  void SetAddresses(const std::vector<std::string>& addresses);
  std::vector<std::string> addresses() const;

  // The best address that is not in `tried`, nor another one of a member that is. Nothing if all
  // were tried.
  std::optional<std::string> Choose(Prefer prefer, const std::vector<std::string>& tried,
                                    Instant now);

  // A member answered a call, in a term; 0 for what the answer does not say.
  void OnAnswer(const std::string& address, uint64_t member_id, uint64_t term);
  // It is there and says that it is well, in answer to a probe, or by a watch that it serves. It is
  // back then, if the last probe failed. Who says so all the time, and does not do what it is there
  // for, stays set aside: its disk may hang.
  void OnSignOfLife(const std::string& address, uint64_t member_id, uint64_t term);
  // A probe was not answered, and the rest is 0; or told that the member is cut off from the
  // others.
  void OnProbeFailure(const std::string& address, uint64_t member_id, uint64_t term, Instant now);
  // How long a small question took that the member answers by itself.
  void OnRoundTrip(const std::string& address, absl::Duration took);
  // It did not answer, or said that it cannot serve.
  void OnFailure(const std::string& address, Instant now);
  // Another member answered the same read earlier.
  void OnOvertaken(const std::string& address, Instant now);
  // A member says who leads in a term; 0: nobody, as far as it knows.
  void OnLeader(uint64_t leader_id, uint64_t term);

  // Whether it is known who leads in the newest term, wherever that is.
  bool KnowsLeader() const { return leader_ != 0; }
  // How long a member takes to answer; nothing if it was never measured.
  std::optional<absl::Duration> RoundTripOf(const std::string& address) const;

 private:
  struct Member {
    uint64_t id = 0;                           // 0: not known
    std::optional<absl::Duration> round_trip;  // smoothed
    int failures = 0;                          // in a row
    int overtaken = 0;                         // in a row
    bool is_lost = false;                      // the last probe failed
    Instant aside_until;
    uint64_t chosen = 0;  // when last, counted in choices
  };

  // Null if it is not among the addresses any more.
  Member* Find(const std::string& address);
  void HearOf(Member* member, uint64_t member_id, uint64_t term);
  void SetAside(Member* member, Instant now);
  void Readmit(Member* member);
  bool IsLeader(const Member& member) const { return leader_ != 0 && member.id == leader_; }

  const Options options_;
  std::map<std::string, Member> members_;
  uint64_t leader_ = 0;  // 0: not known
  uint64_t term_ = 0;    // the highest that was heard of
  uint64_t choices_ = 0;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_BALANCER_H_
