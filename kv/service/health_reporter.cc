#include "kv/service/health_reporter.h"

namespace pontoon::kv {

void HealthReporter::Start() {
  parts_.executor->Post([this] { Look(); });
}

void HealthReporter::Look() {
  const bool serving =
      parts_.replica->CurrentLeadership().leader != kNoNode && !parts_.member->IsCorrupt();
  if (serving != serving_) parts_.health->SetServingStatus(serving);
  serving_ = serving;
  parts_.executor->PostAt(parts_.clock->Now() + interval_, [this] { Look(); });
}

}  // namespace pontoon::kv
