#include "tests/differential/symbols.h"

#include <string_view>

#include "raft/base/check.h"
#include "tests/differential/fields.h"

namespace pontoon::differential {
namespace {

using google::protobuf::FieldDescriptor;

bool IsNear(int64_t value, int64_t center) {
  return value >= center - kSymbolSpan && value <= center + kSymbolSpan;
}

bool HoldsRevision(const FieldDescriptor& field) {
  return std::string_view(field.name()).ends_with("revision");
}

// `lease` of keys and compares; ID of LeaseGrantResponse, LeaseStatus and the like.
bool HoldsLease(const FieldDescriptor& field) {
  return field.name() == "lease" ||
         (field.name() == "ID" &&
          std::string_view(field.containing_type()->name()).starts_with("Lease"));
}

}  // namespace

bool IsRelativeRevision(int64_t value) { return IsNear(value, kBaseRevision); }
bool IsDrawnLease(int64_t value) { return IsNear(value, kFirstDrawnLease); }

void Symbols::NameLease(int64_t name, int64_t id) {
  CHECK(IsDrawnLease(name)) << name;
  ids_[name] = id;
  names_[id] = name;
}

int64_t Symbols::ValueOf(int64_t symbol) const {
  if (IsRelativeRevision(symbol)) return symbol - kBaseRevision + base_;
  const auto lease = ids_.find(symbol);
  return lease == ids_.end() ? symbol : lease->second;
}

void Symbols::Resolve(google::protobuf::Message* request) const {
  ChangeInt64s(request,
               [this](const FieldDescriptor& /*field*/, int64_t value) { return ValueOf(value); });
}

void Symbols::Restore(google::protobuf::Message* response) const {
  ChangeInt64s(response, [this](const FieldDescriptor& field, int64_t value) {
    if (HoldsRevision(field) && value > 0) return value - base_ + kBaseRevision;
    if (HoldsLease(field)) {
      const auto name = names_.find(value);
      if (name != names_.end()) return name->second;
    }
    return value;
  });
}

}  // namespace pontoon::differential
