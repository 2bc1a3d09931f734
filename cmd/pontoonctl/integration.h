// What the tests of pontoonctl against real servers have in common.

#ifndef PONTOON_CMD_PONTOONCTL_INTEGRATION_H_
#define PONTOON_CMD_PONTOONCTL_INTEGRATION_H_

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "cmd/pontoonctl/child_process.h"
#include "cmd/pontoonctl/ending.h"

namespace pontoon::ctl {

// How long a server may take to start, or a cluster to elect a leader, on a machine that is busy
// with other tests. Requests are tried again until then.
inline constexpr char kPatience[] = "60s";

struct Result {
  ExitCode code;
  std::string out;
  std::string err;
};

// Runs a command line against `endpoints`, in this process.
Result RunAt(const std::string& endpoints, std::vector<std::string> arguments,
             const std::string& input = "");

// The output of one that must succeed and have nothing to say on stderr.
std::string OutAt(const std::string& endpoints, const std::vector<std::string>& arguments,
                  const std::string& input = "");

// Under the test's own folder, and empty.
std::filesystem::path FreshFolder(const std::string& name);

// Makes the folders, too.
void WriteFile(const std::filesystem::path& path, const std::string& bytes);
std::string ReadFile(const std::filesystem::path& path);

// The program in a process of its own, for what goes on until it is interrupted. It ends with this
// object.
class Background {
 public:
  Background(const std::string& endpoints, const std::vector<std::string>& arguments);
  ~Background();

  // Waits for the next line of its output; "" at its end.
  std::string ReadLine();

  void Signal(int signal) { child_->Signal(signal); }

  // Waits for its end; its exit code.
  int Wait() { return child_->Wait(); }

  // What it said on stderr, once it has ended.
  std::string err() const { return ReadFile(folder_ / "err"); }

 private:
  const std::filesystem::path folder_;
  std::unique_ptr<ChildProcess> child_;
  std::ifstream out_;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_INTEGRATION_H_
