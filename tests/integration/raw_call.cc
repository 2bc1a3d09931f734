#include "tests/integration/raw_call.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "raft/base/check.h"

namespace pontoon::testing {
namespace {

// RFC 9113: a client's first bytes, and the frames that are used here.
constexpr absl::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
enum FrameType : uint8_t { kData = 0, kHeaders = 1, kSettings = 4 };
constexpr uint8_t kEndStream = 0x1;
constexpr uint8_t kEndHeaders = 0x4;
constexpr size_t kFrameHeaderBytes = 9;
// RFC 7541: longer strings have a length of several bytes.
constexpr size_t kStringBytesMax = 126;

constexpr timeval kPatience = {.tv_sec = 10, .tv_usec = 0};

std::string Frame(FrameType type, uint8_t flags, uint8_t stream, const std::string& payload) {
  const size_t size = payload.size();
  std::string frame;
  for (const size_t byte : {size >> 16, size >> 8, size}) frame += static_cast<char>(byte & 0xff);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  frame += std::string(3, '\0') + static_cast<char>(stream);
  return frame + payload;
}

std::string HpackString(absl::string_view text) {
  CHECK_LE(text.size(), kStringBytesMax);
  return static_cast<char>(text.size()) + std::string(text);
}

// A field as its words, and not to be remembered.
std::string HpackField(absl::string_view name, absl::string_view value) {
  return std::string(1, '\0') + HpackString(name) + HpackString(value);
}

std::string RequestBytes(const std::string& address, const RawCall& call) {
  CHECK_LE(call.message.size(), kStringBytesMax);
  std::string fields;
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{":method", "POST"},
                                                        {":scheme", "http"},
                                                        {":path", call.method},
                                                        {":authority", address},
                                                        {"content-type", "application/grpc"},
                                                        {"te", "trailers"},
                                                        {call.metadata_key, call.metadata_value}}) {
    fields += HpackField(name, value);
  }
  // gRPC's own prefix: not compressed, and the size.
  const std::string message =
      std::string(4, '\0') + static_cast<char>(call.message.size()) + call.message;
  return std::string(kPreface) + Frame(kSettings, 0, 0, "") +
         Frame(kHeaders, kEndHeaders, 1, fields) + Frame(kData, kEndStream, 1, message);
}

// The value of a field that servers of gRPC write as its words; nothing if there is none.
std::optional<std::string> FieldIn(absl::string_view fields, absl::string_view name) {
  const size_t at = fields.find(HpackString(name));
  if (at == absl::string_view::npos) return std::nullopt;
  fields.remove_prefix(at + 1 + name.size());
  if (fields.empty()) return std::nullopt;
  const auto size = static_cast<uint8_t>(fields[0]);
  if (size > kStringBytesMax || fields.size() < size + size_t{1}) return std::nullopt;
  return std::string(fields.substr(1, size));
}

class Connection {
 public:
  explicit Connection(const std::string& address) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    CHECK_GE(fd_, 0);
    CHECK_EQ(setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience)), 0);
    const std::pair<std::string, std::string> parts = absl::StrSplit(address, ':');
    sockaddr_in server = {};
    uint32_t port = 0;
    CHECK(absl::SimpleAtoi(parts.second, &port)) << address;
    server.sin_family = AF_INET;
    server.sin_port = htons(static_cast<uint16_t>(port));
    CHECK_EQ(inet_pton(AF_INET, parts.first.c_str(), &server.sin_addr), 1) << address;
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&server), sizeof(server)) == 0;
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool Write(const std::string& bytes) {
    if (!connected_) return false;
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Exactly so many bytes.
  std::optional<std::string> Read(size_t size) {
    std::string bytes(size, '\0');
    if (size == 0) return bytes;
    const ssize_t got = recv(fd_, bytes.data(), size, MSG_WAITALL);
    if (got != static_cast<ssize_t>(size)) return std::nullopt;
    return bytes;
  }

 private:
  const int fd_;
  bool connected_ = false;
};

// The fields with which the server ends the stream.
std::optional<std::string> ReadTrailers(Connection* connection) {
  while (true) {
    const std::optional<std::string> header = connection->Read(kFrameHeaderBytes);
    if (!header.has_value()) return std::nullopt;
    const auto byte = [&](size_t i) { return static_cast<uint8_t>((*header)[i]); };
    const size_t size = size_t{byte(0)} << 16 | size_t{byte(1)} << 8 | byte(2);
    std::optional<std::string> payload = connection->Read(size);
    if (!payload.has_value()) return std::nullopt;
    if (byte(3) == kHeaders && (byte(4) & kEndStream) != 0) return payload;
  }
}

}  // namespace

grpc::Status Send(const std::string& address, const RawCall& call) {
  const auto nothing = [](const char* why) { return grpc::Status(grpc::StatusCode::UNKNOWN, why); };
  Connection connection(address);
  if (!connection.Write(RequestBytes(address, call))) return nothing("the server is not there");
  const std::optional<std::string> trailers = ReadTrailers(&connection);
  if (!trailers.has_value()) return nothing("the server did not answer");
  const std::optional<std::string> status = FieldIn(*trailers, "grpc-status");
  int code = 0;
  if (!status.has_value() || !absl::SimpleAtoi(*status, &code)) return nothing("no status came");
  return grpc::Status(static_cast<grpc::StatusCode>(code),
                      FieldIn(*trailers, "grpc-message").value_or(""));
}

}  // namespace pontoon::testing
