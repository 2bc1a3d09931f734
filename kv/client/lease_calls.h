// Calls about leases.

#ifndef PONTOON_KV_CLIENT_LEASE_CALLS_H_
#define PONTOON_KV_CLIENT_LEASE_CALLS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "kv/client/client_core.h"
#include "kv/client/unary_call.h"
#include "proto/rpc.pb.h"

namespace pontoon {

using GrantCall = UnaryCall<etcdserverpb::LeaseGrantRequest, etcdserverpb::LeaseGrantResponse>;
using RenewCall =
    UnaryCall<etcdserverpb::LeaseKeepAliveRequest, etcdserverpb::LeaseKeepAliveResponse>;
using RevokeCall = UnaryCall<etcdserverpb::LeaseRevokeRequest, etcdserverpb::LeaseRevokeResponse>;

// Grants a lease. One of which the answer is lost ends by itself.
void SendGrant(ClientCore* core, int64_t ttl_seconds, absl::Duration timeout,
               Callback<GrantCall::Answer> done);

// Renews a lease once: on a stream of its own, so that it is sent again elsewhere as any other call
// is. The answer's TTL is 0 if the lease is over.
void SendRenew(ClientCore* core, int64_t lease, absl::Duration timeout,
               absl::Duration attempt_timeout, Callback<RenewCall::Answer> done);

void SendRevoke(ClientCore* core, int64_t lease, Callback<RevokeCall::Answer> done);

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_LEASE_CALLS_H_
