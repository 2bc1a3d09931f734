#include "cmd/pontoon/listen_check.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

namespace pontoon {
namespace {

// 0, or the errno of what failed.
int TryToBind(const addrinfo& address) {
  const int fd = socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC, 0);
  if (fd == -1) return errno;
  // As gRPC does: connections of an earlier process that are still closing are not in the way.
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const int error = bind(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  close(fd);
  return error;
}

absl::Status CannotListen(const Url& url, absl::string_view why) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", url.ToString(), ": ", why));
}

std::string Advice(int error) {
  switch (error) {
    case EADDRINUSE:
      return "another process has the port: stop it, or choose another port";
    case EACCES:
      return "ports below 1024 need privileges: choose another port";
    case EADDRNOTAVAIL:
      return "this machine does not have that address";
    default:
      return std::strerror(error);
  }
}

}  // namespace

absl::Status CheckCanListen(const Url& url) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int unresolved =
      getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
  if (unresolved != 0) {
    return CannotListen(url, absl::StrCat("host ", url.host, ": ", gai_strerror(unresolved)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);

  int usable = 0;
  int last_error = EADDRNOTAVAIL;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int error = TryToBind(*address);
    if (error == EADDRINUSE) return CannotListen(url, Advice(error));
    if (error == 0) ++usable;
    if (error != 0) last_error = error;
  }
  return usable > 0 ? absl::OkStatus() : CannotListen(url, Advice(last_error));
}

}  // namespace pontoon
