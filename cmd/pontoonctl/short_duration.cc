#include "cmd/pontoonctl/short_duration.h"

#include "absl/strings/str_format.h"

namespace pontoon::ctl {

std::string ShortDuration(absl::Duration duration) {
  if (duration < absl::Milliseconds(10)) {
    return absl::StrFormat("%.2f ms", absl::ToDoubleMilliseconds(duration));
  }
  if (duration < absl::Seconds(1)) {
    return absl::StrFormat("%.0f ms", absl::ToDoubleMilliseconds(duration));
  }
  return absl::StrFormat("%.1f s", absl::ToDoubleSeconds(duration));
}

}  // namespace pontoon::ctl
