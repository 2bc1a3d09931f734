// Ports for servers that a test starts.

#ifndef PONTOON_TESTS_INTEGRATION_PORTS_H_
#define PONTOON_TESTS_INTEGRATION_PORTS_H_

#include <cstdint>
#include <string>

namespace pontoon::testing {

// A TCP port of the loopback interface that was free when the object was made, and that no other
// object gets as long as this one lives, in any test program of the machine. A server may so be
// stopped and started again on its port.
//
// The port lies below the range that the kernel takes the ports of outgoing connections from;
// otherwise a client's connection could sit on the port of a server that is down.
class PortReservation {
 public:
  PortReservation();
  ~PortReservation();
  PortReservation(PortReservation&& other) noexcept;
  PortReservation& operator=(PortReservation&&) = delete;

  uint16_t port() const { return port_; }
  std::string address() const;  // 127.0.0.1:<port>
  std::string url() const;      // http://127.0.0.1:<port>

 private:
  uint16_t port_ = 0;
  // An abstract Unix socket named after the port. The kernel frees the name when the last process
  // that has it open ends, however it ends.
  int lock_fd_ = -1;
};

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_PORTS_H_
