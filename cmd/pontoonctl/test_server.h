// TestCluster: real server processes on the loopback interface, for tests.

#ifndef PONTOON_CMD_PONTOONCTL_TEST_SERVER_H_
#define PONTOON_CMD_PONTOONCTL_TEST_SERVER_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace pontoon::ctl {

// Starts servers with etcd's flags. The program is the environment variable
// PONTOONCTL_TEST_SERVER, by default /usr/bin/etcd (of the package etcd-server); a test without it
// fails.
//
// The servers end with this object, and with the thread that started them, however that ends. Not
// thread safe.
class TestCluster {
 public:
  // Their data lie under `directory`, with the log of each beside them.
  TestCluster(const std::string& directory, int size);
  ~TestCluster();

  TestCluster(const TestCluster&) = delete;
  TestCluster& operator=(const TestCluster&) = delete;

  // "127.0.0.1:PORT" of one server.
  const std::string& endpoint(int server) const { return servers_[server].endpoint; }

  // Where one of them serves its metrics.
  const std::string& metrics_endpoint(int server) const { return servers_[server].metrics; }

  // Of all, with commas between.
  std::string endpoints() const;

  pid_t pid(int server) const { return servers_[server].pid; }
  int size() const { return static_cast<int>(servers_.size()); }

  // Ends a server at once, as a crash would, and waits for its end.
  void Kill(int server);

 private:
  struct Server {
    std::string name;
    std::string endpoint;
    std::string peer_url;
    std::string metrics;
    pid_t pid = -1;
  };

  void Start(const std::string& directory, Server& server);

  std::vector<Server> servers_;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_TEST_SERVER_H_
