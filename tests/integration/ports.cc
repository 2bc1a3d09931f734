#include "tests/integration/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "raft/base/check.h"

namespace pontoon::testing {
namespace {

// Linux gives outgoing connections ports from 32768 up, unless it is told otherwise.
constexpr uint16_t kFirstPort = 20000;
constexpr uint16_t kLastPort = 32000;

// The descriptor of the lock, or -1 if another has it.
int TryLock(uint16_t port) {
  const std::string name = absl::StrCat("pontoon-test-port-", port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), address.sun_path + 1);  // a leading 0 byte: abstract
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  CHECK_GE(fd, 0);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0) return fd;
  close(fd);
  return -1;
}

bool IsFree(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_GE(fd, 0);
  const int reuse = 1;  // of a port on which only ended connections linger
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free =
      bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 && listen(fd, 1) == 0;
  close(fd);
  return free;
}

}  // namespace

PortReservation::PortReservation() {
  std::random_device random;
  std::uniform_int_distribution<uint16_t> any(kFirstPort, kLastPort);
  for (int attempt = 0; attempt < kLastPort - kFirstPort; ++attempt) {
    const uint16_t port = any(random);
    const int fd = TryLock(port);
    if (fd < 0) continue;
    if (IsFree(port)) {
      port_ = port;
      lock_fd_ = fd;
      return;
    }
    close(fd);
  }
  CHECK(false) << "no free port on the loopback interface";
}

PortReservation::~PortReservation() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

PortReservation::PortReservation(PortReservation&& other) noexcept
    : port_(other.port_), lock_fd_(std::exchange(other.lock_fd_, -1)) {}

std::string PortReservation::address() const { return absl::StrCat("127.0.0.1:", port_); }

std::string PortReservation::url() const { return absl::StrCat("http://", address()); }

}  // namespace pontoon::testing
