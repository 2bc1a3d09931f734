// The errors that clients of the etcd v3 API know.
//
// Clients recognise an error by its text as well as by its code, so both are a contract: they are
// etcd 3.6's, letter by letter. Anything the service says to a client in these cases must come from
// here.

#ifndef PONTOON_KV_ERRORS_H_
#define PONTOON_KV_ERRORS_H_

#include <span>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pontoon::kv {

// One error of the API: a canonical code, which is also its gRPC code, and its exact text.
struct ApiError {
  absl::StatusCode code;
  absl::string_view text;

  // An error is used where a status is expected: `return kErrKeyNotFound;`.
  operator absl::Status() const { return absl::Status(code, text); }  // NOLINT: implicit
};

// Whether `status` is the error `error`.
bool Is(const absl::Status& status, const ApiError& error);

// Every error below, in the order of the table.
std::span<const ApiError> AllApiErrors();

// The table: X(name, code, text).
// clang-format off
#define PONTOON_KV_ERRORS(X) \
  X(kErrEmptyKey, kInvalidArgument, "etcdserver: key is not provided")                             \
  X(kErrKeyNotFound, kInvalidArgument, "etcdserver: key not found")                                \
  X(kErrValueProvided, kInvalidArgument, "etcdserver: value is provided")                          \
  X(kErrLeaseProvided, kInvalidArgument, "etcdserver: lease is provided")                          \
  X(kErrTooManyOps, kInvalidArgument, "etcdserver: too many operations in txn request")            \
  X(kErrDuplicateKey, kInvalidArgument, "etcdserver: duplicate key given in txn request")          \
  X(kErrInvalidClientAPIVersion, kInvalidArgument, "etcdserver: invalid client api version")       \
  X(kErrInvalidSortOption, kInvalidArgument, "etcdserver: invalid sort option")                    \
  X(kErrCompacted, kOutOfRange, "etcdserver: mvcc: required revision has been compacted")          \
  X(kErrFutureRev, kOutOfRange, "etcdserver: mvcc: required revision is a future revision")        \
  X(kErrNoSpace, kResourceExhausted, "etcdserver: mvcc: database space exceeded")                  \
  X(kErrLeaseNotFound, kNotFound, "etcdserver: requested lease not found")                         \
  X(kErrLeaseExist, kFailedPrecondition, "etcdserver: lease already exists")                       \
  X(kErrLeaseTTLTooLarge, kOutOfRange, "etcdserver: too large lease TTL")                          \
  X(kErrWatchCanceled, kCancelled, "etcdserver: watch canceled")                                   \
  X(kErrMemberExist, kFailedPrecondition, "etcdserver: member ID already exist")                   \
  X(kErrPeerURLExist, kFailedPrecondition, "etcdserver: Peer URLs already exists")                 \
  X(kErrMemberNotEnoughStarted, kFailedPrecondition,                                               \
    "etcdserver: re-configuration failed due to not enough started members")                       \
  X(kErrMemberBadURLs, kInvalidArgument, "etcdserver: given member URLs are invalid")              \
  X(kErrMemberNotFound, kNotFound, "etcdserver: member not found")                                 \
  X(kErrMemberNotLearner, kFailedPrecondition, "etcdserver: can only promote a learner member")    \
  X(kErrLearnerNotReady, kFailedPrecondition,                                                      \
    "etcdserver: can only promote a learner member which is in sync with leader")                  \
  X(kErrTooManyLearners, kFailedPrecondition, "etcdserver: too many learner members in cluster")   \
  X(kErrClusterIDMismatch, kFailedPrecondition, "etcdserver: cluster ID mismatch")                 \
  X(kErrRequestTooLarge, kInvalidArgument, "etcdserver: request is too large")                     \
  X(kErrRequestTooManyRequests, kResourceExhausted, "etcdserver: too many requests")               \
  X(kErrRootUserNotExist, kFailedPrecondition, "etcdserver: root user does not exist")             \
  X(kErrRootRoleNotExist, kFailedPrecondition, "etcdserver: root user does not have root role")    \
  X(kErrUserAlreadyExist, kFailedPrecondition, "etcdserver: user name already exists")             \
  X(kErrUserEmpty, kInvalidArgument, "etcdserver: user name is empty")                             \
  X(kErrUserNotFound, kFailedPrecondition, "etcdserver: user name not found")                      \
  X(kErrRoleAlreadyExist, kFailedPrecondition, "etcdserver: role name already exists")             \
  X(kErrRoleNotFound, kFailedPrecondition, "etcdserver: role name not found")                      \
  X(kErrRoleEmpty, kInvalidArgument, "etcdserver: role name is empty")                             \
  X(kErrAuthFailed, kInvalidArgument,                                                              \
    "etcdserver: authentication failed, invalid user ID or password")                              \
  X(kErrPermissionNotGiven, kInvalidArgument, "etcdserver: permission not given")                  \
  X(kErrPermissionDenied, kPermissionDenied, "etcdserver: permission denied")                      \
  X(kErrRoleNotGranted, kFailedPrecondition, "etcdserver: role is not granted to the user")        \
  X(kErrPermissionNotGranted, kFailedPrecondition,                                                 \
    "etcdserver: permission is not granted to the role")                                           \
  X(kErrAuthNotEnabled, kFailedPrecondition, "etcdserver: authentication is not enabled")          \
  X(kErrInvalidAuthToken, kUnauthenticated, "etcdserver: invalid auth token")                      \
  X(kErrInvalidAuthMgmt, kInvalidArgument, "etcdserver: invalid auth management")                  \
  X(kErrAuthOldRevision, kInvalidArgument, "etcdserver: revision of auth store is old")            \
  X(kErrNoLeader, kUnavailable, "etcdserver: no leader")                                           \
  X(kErrNotLeader, kFailedPrecondition, "etcdserver: not leader")                                  \
  X(kErrLeaderChanged, kUnavailable, "etcdserver: leader changed")                                 \
  X(kErrNotCapable, kFailedPrecondition, "etcdserver: not capable")                                \
  X(kErrStopped, kUnavailable, "etcdserver: server stopped")                                       \
  X(kErrTimeout, kUnavailable, "etcdserver: request timed out")                                    \
  X(kErrTimeoutDueToLeaderFail, kUnavailable,                                                      \
    "etcdserver: request timed out, possibly due to previous leader failure")                      \
  X(kErrTimeoutDueToConnectionLost, kUnavailable,                                                  \
    "etcdserver: request timed out, possibly due to connection lost")                              \
  X(kErrTimeoutWaitAppliedIndex, kUnavailable,                                                     \
    "etcdserver: request timed out, waiting for the applied index took too long")                  \
  X(kErrUnhealthy, kUnavailable, "etcdserver: unhealthy cluster")                                  \
  X(kErrCorrupt, kDataLoss, "etcdserver: corrupt cluster")                                         \
  X(kErrNotSupportedForLearner, kFailedPrecondition, "etcdserver: rpc not supported for learner")  \
  X(kErrBadLeaderTransferee, kFailedPrecondition, "etcdserver: bad leader transferee")             \
  X(kErrWrongDowngradeVersionFormat, kInvalidArgument,                                             \
    "etcdserver: wrong downgrade target version format")                                           \
  X(kErrInvalidDowngradeTargetVersion, kInvalidArgument,                                           \
    "etcdserver: invalid downgrade target version")                                                \
  X(kErrClusterVersionUnavailable, kFailedPrecondition,                                            \
    "etcdserver: cluster version not found during downgrade")                                      \
  X(kErrDowngradeInProcess, kFailedPrecondition,                                                   \
    "etcdserver: cluster has a downgrade job in progress")                                         \
  X(kErrNoInflightDowngrade, kFailedPrecondition, "etcdserver: no inflight downgrade job")         \
  X(kErrCanceled, kCancelled, "etcdserver: request canceled")                                      \
  X(kErrDeadlineExceeded, kDeadlineExceeded, "etcdserver: context deadline exceeded")
// clang-format on

#define PONTOON_KV_DEFINE_ERROR(name, code, text) \
  inline constexpr ApiError name{absl::StatusCode::code, text};
PONTOON_KV_ERRORS(PONTOON_KV_DEFINE_ERROR)

// Not in etcd's own table, which is why it comes with this code.
inline constexpr ApiError kErrTimeoutLeaderTransfer{
    absl::StatusCode::kUnknown, "etcdserver: request timed out, leader transfer took too long"};

// Pontoon's own: of writes that carry WriteOptions (proto/pontoon.proto).
// clang-format off
#define PONTOON_KV_OWN_ERRORS(X) \
  X(kErrOnceSessionNotFound, kNotFound,                                                            \
    "pontoon: there is no such session: its lease has expired, was revoked, or never was")         \
  X(kErrOnceForgotten, kFailedPrecondition,                                                        \
    "pontoon: the write is below answered_below of its session: what came of it is forgotten")     \
  X(kErrOnceReused, kInvalidArgument,                                                              \
    "pontoon: another write of this session has the same sequence")                                \
  X(kErrOnceTooMany, kResourceExhausted,                                                           \
    "pontoon: the session has too many writes at or above its answered_below")                     \
  X(kErrOnceAnswerTooLarge, kAlreadyExists,                                                        \
    "pontoon: the write was done before, and its answer was too large to be kept")                 \
  X(kErrFenced, kFailedPrecondition, "pontoon: the lock of the fence is not held any more")
// clang-format on

PONTOON_KV_OWN_ERRORS(PONTOON_KV_DEFINE_ERROR)
#undef PONTOON_KV_DEFINE_ERROR

}  // namespace pontoon::kv

#endif  // PONTOON_KV_ERRORS_H_
