// Normalise: takes out of a response what may differ between two servers that behave the same.

#ifndef PONTOON_TESTS_DIFFERENTIAL_NORMALISE_H_
#define PONTOON_TESTS_DIFFERENTIAL_NORMALISE_H_

#include <google/protobuf/message.h>

#include "tests/differential/symbols.h"

namespace pontoon::differential {

// - Revisions and drawn leases become symbols.
// - Ids of the cluster and of members, terms, log positions, sizes and addresses become 1, or
// "url",
//   if they are there at all.
// - The leases of LeaseLeases, and the keys of LeaseTimeToLive, are sorted: nobody promises an
// order. All else stays, also whether a part is empty or not there.
void Normalise(const Symbols& symbols, google::protobuf::Message* response);

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_NORMALISE_H_
