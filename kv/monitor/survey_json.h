// A survey as JSON, for the page and for programs.

#ifndef PONTOON_KV_MONITOR_SURVEY_JSON_H_
#define PONTOON_KV_MONITOR_SURVEY_JSON_H_

#include <string>

#include "absl/time/time.h"
#include "kv/monitor/cluster_survey.h"

namespace pontoon::kv {

// One line; docs/formats.md lists the fields. `now` is the time of the survey.
std::string ToJson(const Survey& survey, absl::Time now);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MONITOR_SURVEY_JSON_H_
