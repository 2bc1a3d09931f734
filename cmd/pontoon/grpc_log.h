// What gRPC has to say, as lines of our log.

#ifndef PONTOON_CMD_PONTOON_GRPC_LOG_H_
#define PONTOON_CMD_PONTOON_GRPC_LOG_H_

namespace pontoon {

// To be called once, before gRPC is used.
void RedirectGrpcLog();

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_GRPC_LOG_H_
