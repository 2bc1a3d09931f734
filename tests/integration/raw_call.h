// A call that is written byte by byte, for metadata that the library of gRPC refuses to send.

#ifndef PONTOON_TESTS_INTEGRATION_RAW_CALL_H_
#define PONTOON_TESTS_INTEGRATION_RAW_CALL_H_

#include <grpcpp/support/status.h>

#include <string>

namespace pontoon::testing {

// Calls `method`, such as "/etcdserverpb.KV/Range", of the server at `address`, 127.0.0.1:<port>,
// with the bytes of a message and one entry of metadata; all are shorter than 127 bytes. Returns
// what the server said in the end; or UNKNOWN, and why, if it said nothing.
struct RawCall {
  std::string method;
  std::string message;
  std::string metadata_key;
  std::string metadata_value;
};
grpc::Status Send(const std::string& address, const RawCall& call);

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_RAW_CALL_H_
