#include "cmd/pontoonctl/process_cpu.h"

#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace pontoon::ctl {
namespace {

// Places of utime and stime (fields 14 and 15 of proc(5)) among the fields after the name, which is
// in parentheses and may itself hold blanks and parentheses.
constexpr size_t kUserTimePlace = 11;
constexpr size_t kSystemTimePlace = 12;

}  // namespace

absl::StatusOr<absl::Duration> ParseProcStat(absl::string_view stat, long ticks_per_second) {
  const size_t name_end = stat.rfind(')');
  if (name_end == absl::string_view::npos) return absl::InvalidArgumentError("no process name");
  const std::vector<absl::string_view> fields =
      absl::StrSplit(stat.substr(name_end + 1), ' ', absl::SkipWhitespace());
  int64_t user = 0, system = 0;
  if (fields.size() <= kSystemTimePlace || !absl::SimpleAtoi(fields[kUserTimePlace], &user) ||
      !absl::SimpleAtoi(fields[kSystemTimePlace], &system)) {
    return absl::InvalidArgumentError("no times");
  }
  return absl::Seconds(user + system) / ticks_per_second;
}

absl::StatusOr<absl::Duration> ProcessCpuTime(pid_t pid) {
  const std::string path = absl::StrCat("/proc/", pid, "/stat");
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path, ": is process ", pid, " alive?"));
  }
  return ParseProcStat(line, sysconf(_SC_CLK_TCK));
}

}  // namespace pontoon::ctl
