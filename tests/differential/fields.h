// Visits the fields of a message, however deep they lie.

#ifndef PONTOON_TESTS_DIFFERENTIAL_FIELDS_H_
#define PONTOON_TESTS_DIFFERENTIAL_FIELDS_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <vector>

namespace pontoon::differential {

// Calls visit(message, field) for every message inside `message` and itself, innermost first, and
// every field that is set there.
template <typename Visit>
void ForEachField(google::protobuf::Message* message, const Visit& visit) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection* const reflection = message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (field->is_repeated()) {
        for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
          ForEachField(reflection->MutableRepeatedMessage(message, field, i), visit);
        }
      } else {
        ForEachField(reflection->MutableMessage(message, field), visit);
      }
    }
    visit(message, field);
  }
}

// Replaces each single int64 that is set in `message`, at any depth, by what `change` makes of it:
// int64_t change(const FieldDescriptor&, int64_t).
template <typename Change>
void ChangeInt64s(google::protobuf::Message* message, const Change& change) {
  using google::protobuf::FieldDescriptor;
  ForEachField(message, [&](google::protobuf::Message* holder, const FieldDescriptor* field) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_INT64 || field->is_repeated()) return;
    const google::protobuf::Reflection* const reflection = holder->GetReflection();
    const int64_t old = reflection->GetInt64(*holder, field);
    const int64_t changed = change(*field, old);
    if (changed != old) reflection->SetInt64(holder, field, changed);
  });
}

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_FIELDS_H_
