// Authenticator: has the token that goes with a client's calls, if there is to be one.

#ifndef PONTOON_KV_CLIENT_AUTHENTICATOR_H_
#define PONTOON_KV_CLIENT_AUTHENTICATOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pontoon {

class ClientCore;

// The token comes from Authenticate with user and password, or from the user's TokenProvider. It is
// fetched when the first call needs it, and when a member does not take it any more; calls that
// need it meanwhile wait for the same one.
//
// For the loop only.
class Authenticator {
 public:
  using Done = absl::AnyInvocable<void(const absl::Status& renewed) &&>;

  explicit Authenticator(ClientCore* core) : core_(core) {}

  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  // Whether calls carry a token at all.
  bool enabled() const;
  // Whether there is none yet.
  bool NeedsToken() const { return enabled() && token_.empty() && !not_asked_for_; }
  const std::string& token() const { return token_; }

  // Fetches another token than `stale`, which a member did not take. If there is one already, since
  // another call has asked for it, that is it.
  void Renew(const std::string& stale, Done done);
  // Whether a member refuses a call for its token, or for the want of one.
  static bool IsAboutToken(const absl::Status& error);
  // Whether an error of Renew is one for which it is worth while to call it again, after a pause.
  static bool MayPass(const absl::Status& error);

 private:
  void Fetch();
  void AskProvider();
  // An answer to that question of the provider's, which may have been given up meanwhile.
  void OnProvided(uint64_t question, absl::StatusOr<std::string> token);
  void OnFetched(absl::StatusOr<std::string> token);

  ClientCore* const core_;
  std::string token_;
  bool not_asked_for_ = false;  // the cluster has no users
  std::vector<Done> waiting_;   // not empty: one is being fetched
  uint64_t questions_ = 0;      // that the provider was asked; the last may be open
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_AUTHENTICATOR_H_
