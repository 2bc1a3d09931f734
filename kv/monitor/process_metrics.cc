#include "kv/monitor/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace pontoon::kv {
namespace {

// Of proc(5), /proc/[pid]/stat: counted from the one after the name, which may hold anything.
constexpr size_t kUserTicks = 11;
constexpr size_t kSystemTicks = 12;
constexpr size_t kThreads = 17;
constexpr size_t kStartTicks = 19;
constexpr size_t kVirtualBytes = 20;
constexpr size_t kResidentPages = 21;
constexpr size_t kFields = 22;

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<std::vector<double>> ReadStat() {
  const std::string stat = ReadFile("/proc/self/stat");
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::vector<double> fields;
  for (const absl::string_view field :
       absl::StrSplit(absl::string_view(stat).substr(name_end + 1), ' ', absl::SkipEmpty())) {
    double value = 0;  // the first one, the state, is a letter
    if (!absl::SimpleAtod(field, &value)) value = 0;
    fields.push_back(value);
  }
  if (fields.size() < kFields) return std::nullopt;
  return fields;
}

// In seconds since 1970.
std::optional<double> BootTime() {
  for (const absl::string_view line : absl::StrSplit(ReadFile("/proc/stat"), '\n')) {
    double seconds = 0;
    if (line.rfind("btime ", 0) == 0 && absl::SimpleAtod(line.substr(6), &seconds)) return seconds;
  }
  return std::nullopt;
}

std::optional<double> CountOpenFiles() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  if (error) return std::nullopt;
  return count - 1;  // the folder itself
}

}  // namespace

void AddProcessMetrics(MetricList* list) {
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  if (const auto stat = ReadStat()) {
    list->AddCounter("process_cpu_seconds_total", "User and system CPU time, in seconds.",
                     ((*stat)[kUserTicks] + (*stat)[kSystemTicks]) / ticks_per_second);
    list->AddGauge("process_resident_memory_bytes", "Resident memory, in bytes.",
                   (*stat)[kResidentPages] * static_cast<double>(sysconf(_SC_PAGESIZE)));
    list->AddGauge("process_virtual_memory_bytes", "Virtual memory, in bytes.",
                   (*stat)[kVirtualBytes]);
    list->AddGauge("process_threads", "Threads of the process.", (*stat)[kThreads]);
    static const std::optional<double> boot = BootTime();  // a large file, all of it made for us
    if (boot) {
      list->AddGauge("process_start_time_seconds", "Start of the process, in seconds since 1970.",
                     *boot + (*stat)[kStartTicks] / ticks_per_second);
    }
  }
  if (const auto open = CountOpenFiles()) {
    list->AddGauge("process_open_fds", "Open file descriptors.", *open);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    list->AddGauge("process_max_fds", "Most file descriptors that may be open.",
                   static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace pontoon::kv
