// MemberSurvey: finds out who the members are, who leads them, and how far away each is.

#ifndef PONTOON_KV_CLIENT_MEMBER_SURVEY_H_
#define PONTOON_KV_CLIENT_MEMBER_SURVEY_H_

#include <string>

#include "raft/base/instant.h"

namespace pontoon {

class ClientCore;

// Now and then asks every member for its status, which it answers by itself: that tells who leads,
// and the time it takes is the round trip. More rarely, one of them for the list of members. Soon
// after a member has failed, or a term has begun of which no leader is known, it asks anew.
//
// For the loop only.
class MemberSurvey {
 public:
  explicit MemberSurvey(ClientCore* core) : core_(core) {}

  MemberSurvey(const MemberSurvey&) = delete;
  MemberSurvey& operator=(const MemberSurvey&) = delete;

  // Asks for everything, and does so from then on.
  void Start();
  // Asks all members for their status, unless that was done a moment ago: then a moment later.
  void LookSoon();

 private:
  void AskForMembers();
  void AskForStatus();
  void AskForStatus(const std::string& address);

  ClientCore* const core_;
  Instant last_look_;
  bool look_is_planned_ = false;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_MEMBER_SURVEY_H_
