// The calls of the Lease service, one by one. Ids are etcd's: numbers, shown in hexadecimal digits.

#ifndef PONTOON_CMD_PONTOONCTL_LEASE_CALLS_H_
#define PONTOON_CMD_PONTOONCTL_LEASE_CALLS_H_

#include <cstdint>
#include <string>

#include "cmd/pontoonctl/deadline.h"
#include "cmd/pontoonctl/outcome.h"
#include "cmd/pontoonctl/session.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

// "694d8257011bd5e3".
std::string FormatLease(int64_t id);

// Not repeated: if the answer is lost, there may be a lease that nobody knows; it ends by itself.
Reply GrantLease(Session& session, Deadline deadline,
                 const etcdserverpb::LeaseGrantRequest& request,
                 etcdserverpb::LeaseGrantResponse* response);

// Ends the lease and deletes its keys. Not repeated: the second answer would be "not found".
Reply RevokeLease(Session& session, Deadline deadline, int64_t id);

// Renews the lease. With TTL 0 in the response there is no such lease, or no longer.
Reply RenewLease(Session& session, Deadline deadline, int64_t id,
                 etcdserverpb::LeaseKeepAliveResponse* response);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_LEASE_CALLS_H_
