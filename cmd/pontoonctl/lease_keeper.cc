#include "cmd/pontoonctl/lease_keeper.h"

#include <utility>

#include "cmd/pontoonctl/lease_calls.h"

namespace pontoon::ctl {
namespace {

// How many times a lease is renewed in its time: so two attempts may fail.
constexpr int kRenewalsPerTtl = 3;

// Between attempts that fail; the session pauses as well.
constexpr absl::Duration kRetryPause = absl::Milliseconds(50);

}  // namespace

LeaseKeeper::LeaseKeeper(Session& session, const Lease& lease, Events events)
    : session_(session), lease_(lease), events_(std::move(events)), thread_([this] { Keep(); }) {}

LeaseKeeper::~LeaseKeeper() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void LeaseKeeper::Keep() {
  // The first renewal finds out how much is left, should the grant have taken long.
  while (WaitFor(lease_.ttl / kRenewalsPerTtl)) {
    if (!Renew()) return;
  }
}

bool LeaseKeeper::Renew() {
  std::string why = "no answer in time";
  while (!lease_.expiry.Passed()) {
    // If it succeeds, it was sent after this.
    const Deadline start_of_ttl = Deadline::After(absl::ZeroDuration());
    etcdserverpb::LeaseKeepAliveResponse response;
    const Reply reply = RenewLease(session_, lease_.expiry.ButWithin(lease_.ttl / kRenewalsPerTtl),
                                   lease_.id, &response);
    if (reply.ok() && response.ttl() > 0) {
      lease_.ttl = absl::Seconds(response.ttl());
      lease_.expiry = start_of_ttl.Later(lease_.ttl);
      events_.on_renewed(lease_.ttl);
      return true;
    }
    if (reply.ok()) why = "it has expired or was revoked";
    if (!reply.ok()) why = Explain(reply);
    if (reply.ok() || reply.outcome == Outcome::kRefused) break;
    if (!WaitFor(kRetryPause)) return true;
  }
  events_.on_lost(why);
  return false;
}

bool LeaseKeeper::WaitFor(absl::Duration duration) {
  absl::MutexLock lock(&mutex_);
  return !mutex_.AwaitWithTimeout(absl::Condition(&stopping_), duration);
}

}  // namespace pontoon::ctl
