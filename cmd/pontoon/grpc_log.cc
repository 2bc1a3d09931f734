#include "cmd/pontoon/grpc_log.h"

#include <grpc/support/log.h>

#include "raft/env/log.h"

namespace pontoon {
namespace {

// gRPC calls errors what an operator would not: a client that hangs up in the wrong moment, say.
// What matters to the server it is told by return values.
void Forward(gpr_log_func_args* line) {
  LogDebug("gRPC", {{"message", line->message}, {"file", line->file}, {"line", line->line}});
}

}  // namespace

void RedirectGrpcLog() {
  gpr_set_log_function(Forward);
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
}

}  // namespace pontoon
