// StoreInstruments: what a store counts.

#ifndef PONTOON_KV_STORE_STORE_INSTRUMENTS_H_
#define PONTOON_KV_STORE_STORE_INSTRUMENTS_H_

#include "raft/env/instruments.h"

namespace pontoon::kv {

// Only commands whose result somebody waits for here are counted: each counts at one member, and
// not again when the log is applied anew after a start.
//
// Thread safety: everybody may read and record at any time, without a lock.
struct StoreInstruments {
  // Of writes with a name (OnceSession): decided now, by the effect or by the error for which there
  // was none; answered with what was decided before.
  Counter once_decided;
  Counter once_repeated;
  // Refused, with nothing decided: kErrOnceSessionNotFound, kErrOnceForgotten, kErrOnceReused,
  // kErrOnceTooMany.
  Counter once_session_not_found;
  Counter once_forgotten;
  Counter once_reused;
  Counter once_too_many;

  Counter fenced;  // writes that were refused by their fence, but for copies of what was decided
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_STORE_INSTRUMENTS_H_
