#include "kv/read/read_gate.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kv/errors.h"
#include "kv/outcome.h"

namespace pontoon::kv {
namespace {

// For a barrier in the background; the next read that finds the proof old begins another one.
constexpr absl::Duration kRenewalTimeout = absl::Seconds(1);

// Earlier than the deadline of the call by a tenth of what is left, so that the client still hears
// why.
Instant InGoodTime(Instant now, Instant deadline) {
  return deadline <= now ? deadline : now + 0.9 * (deadline - now);
}

// `wanted` can lie before the clock began, and so before InfinitePast.
bool Covers(Instant shows, Instant wanted) {
  return shows != Instant::InfinitePast() && shows >= wanted;
}

absl::Status TooOld(absl::Duration wanted, Instant now, Instant shows) {
  const std::string proven =
      shows == Instant::InfinitePast()
          ? "nothing is known of how old it is"
          : absl::StrCat("it can be ", absl::FormatDuration(now - shows), " old");
  return absl::UnavailableError(absl::StrCat("pontoon: the state of this member is to be at most ",
                                             absl::FormatDuration(wanted), " old, and ", proven,
                                             ": it has not heard from a leader since"));
}

}  // namespace

void ReadGate::Proof::Advance(Instant began) {
  int64_t before = shows_nanos;
  while (before < began.nanos() && !shows_nanos.compare_exchange_weak(before, began.nanos())) {
  }
}

ReadGate::ReadGate(const Parts& parts, std::unique_ptr<Executor> executor)
    : parts_(parts),
      proof_(std::make_shared<Proof>()),
      revisions_(parts.store, parts.clock, std::move(executor)) {}

std::optional<absl::Duration> ReadGate::StalenessOf(const Passed& passed) const {
  if (passed.shows == Instant::InfinitePast()) return std::nullopt;
  return parts_.clock->Now() - passed.shows;
}

void ReadGate::Pass(const ReadOptions& options, Instant deadline, Done done) {
  if (options.min_revision > Revision()) {
    done = ThenAwait(options.min_revision, deadline, std::move(done));
  }
  switch (options.consistency) {
    case Consistency::kLinearizable:
      return PassBarrier(raft::ReadMode::kQuorum, deadline, std::move(done));
    case Consistency::kLease:
      return PassBarrier(raft::ReadMode::kLease, deadline, std::move(done));
    case Consistency::kFollower:
      if (options.max_staleness.has_value()) {
        return PassBounded(*options.max_staleness, deadline, std::move(done));
      }
      return std::move(done)(Passed{Consistency::kFollower, proof_->shows()});
  }
}

void ReadGate::PassBarrier(raft::ReadMode mode, Instant deadline, Done done) {
  const Instant began = parts_.clock->Now();
  parts_.replica->ReadBarrier(
      mode, deadline,
      [proof = proof_, parts = parts_, mode, began,
       done = std::move(done)](absl::Status passed) mutable {
        if (!passed.ok()) {
          return std::move(done)(ErrorOfRead(passed, parts.replica->CurrentLeadership().leader));
        }
        const bool by_quorum = mode == raft::ReadMode::kQuorum;
        if (by_quorum) proof->Advance(began);
        std::move(done)(
            Passed{by_quorum ? Consistency::kLinearizable : Consistency::kLease, began});
      });
}

void ReadGate::PassBounded(absl::Duration max_staleness, Instant deadline, Done done) {
  const Instant now = parts_.clock->Now();
  const Instant wanted = now - max_staleness;
  const Instant shows = proof_->shows();
  if (Covers(shows, wanted)) {
    // Renewed in its second half. (At the latest moment, reads would have to wait for it.)
    if (now - shows > max_staleness / 2) RenewProof(now);
    return std::move(done)(Passed{Consistency::kFollower, shows});
  }
  parts_.replica->ReadBarrier(
      raft::ReadMode::kQuorum, InGoodTime(now, deadline),
      [proof = proof_, parts = parts_, now, wanted, max_staleness,
       done = std::move(done)](absl::Status passed) mutable {
        if (passed.ok()) proof->Advance(now);
        const Instant shows = proof->shows();  // another read may have proved more
        if (Covers(shows, wanted)) return std::move(done)(Passed{Consistency::kFollower, shows});
        if (!absl::IsDeadlineExceeded(passed)) {
          return std::move(done)(ErrorOfRead(passed, parts.replica->CurrentLeadership().leader));
        }
        std::move(done)(TooOld(max_staleness, parts.clock->Now(), shows));
      });
}

void ReadGate::RenewProof(Instant now) {
  if (proof_->renewing.exchange(true)) return;
  parts_.replica->ReadBarrier(raft::ReadMode::kQuorum, now + kRenewalTimeout,
                              [proof = proof_, now](absl::Status passed) {
                                if (passed.ok()) proof->Advance(now);
                                proof->renewing = false;
                              });
}

ReadGate::Done ReadGate::ThenAwait(Revision revision, Instant deadline, Done done) {
  return [revisions = &revisions_, revision, until = InGoodTime(parts_.clock->Now(), deadline),
          done = std::move(done)](absl::StatusOr<Passed> passed) mutable {
    if (!passed.ok()) return std::move(done)(std::move(passed));
    revisions->Await(revision, until,
                     [passed = *passed, done = std::move(done)](absl::Status reached) mutable {
                       if (!reached.ok()) return std::move(done)(std::move(reached));
                       std::move(done)(passed);
                     });
  };
}

}  // namespace pontoon::kv
