// LeaseTerm: until when a client may rely on a lease.

#ifndef PONTOON_KV_CLIENT_LEASE_TERM_H_
#define PONTOON_KV_CLIENT_LEASE_TERM_H_

#include "absl/time/time.h"
#include "raft/base/instant.h"

namespace pontoon {

// The servers count a lease's time from when they grant or renew it, which is after the request was
// sent. So a client that counts from the sending, on its own clock, gives up before they do,
// whatever the way of the request and the answer took; as long as their clocks do not run faster
// than its own.
//
// Pure: time comes from the caller.
class LeaseTerm {
 public:
  // How many times a lease is renewed in its time: so two renewals may fail.
  static constexpr int kRenewalsPerTtl = 3;

  LeaseTerm(Instant sent, absl::Duration ttl) : sent_(sent), ttl_(ttl) {}

  // A renewal that was sent then was answered.
  void OnRenewed(Instant sent, absl::Duration ttl) {
    if (sent < sent_) return;
    sent_ = sent;
    ttl_ = ttl;
  }

  Instant expiry() const { return sent_ + ttl_; }
  Instant next_renewal() const { return sent_ + ttl_ / kRenewalsPerTtl; }
  absl::Duration ttl() const { return ttl_; }

 private:
  Instant sent_;
  absl::Duration ttl_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_LEASE_TERM_H_
