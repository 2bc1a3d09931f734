#include "tests/differential/shrink.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace pontoon::differential {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// A place in a message: a field of it that is set or, if the field is repeated, an element.
struct Place {
  const FieldDescriptor* field;
  int element = -1;  // of no repeated field
};

std::vector<Place> PlacesIn(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  std::vector<Place> places;
  for (const FieldDescriptor* field : fields) {
    if (!field->is_repeated()) {
      places.push_back({field});
      continue;
    }
    // From the end, so that what is left out does not move what comes next.
    for (int i = message.GetReflection()->FieldSize(message, field) - 1; i >= 0; --i) {
      places.push_back({field, i});
    }
  }
  return places;
}

void LeaveOut(const Place& place, Message* message) {
  const Reflection* const reflection = message->GetReflection();
  if (place.element < 0) return reflection->ClearField(message, place.field);
  const int last = reflection->FieldSize(*message, place.field) - 1;
  for (int i = place.element; i < last; ++i) {
    reflection->SwapElements(message, place.field, i, i + 1);
  }
  reflection->RemoveLast(message, place.field);
}

Message* Enter(const Place& place, Message* message) {
  const Reflection* const reflection = message->GetReflection();
  return place.element < 0
             ? reflection->MutableMessage(message, place.field)
             : reflection->MutableRepeatedMessage(message, place.field, place.element);
}

class Shrinker {
 public:
  Shrinker(Program program, size_t asks_max, const std::function<bool(const Program&)>& fails)
      : program_(std::move(program)), asks_left_(asks_max), fails_(fails) {}

  Program Run() {
    do {
      progress_ = false;
      for (size_t size = program_.calls.size(); size > 0; size /= 2) LeaveOutRunsOf(size);
      for (size_t i = 0; i < program_.calls.size(); ++i) {
        // By number: the program is replaced by its successors.
        ShrinkMessage([i](Program* p) { return MutableRequestOf(&p->calls[i]); });
      }
    } while (progress_ && asks_left_ > 0);
    return std::move(program_);
  }

 private:
  using Finder = std::function<Message*(Program*)>;

  // Takes `candidate` for the program if it fails, too.
  bool Try(Program candidate) {
    if (asks_left_ == 0) return false;
    --asks_left_;
    if (!fails_(candidate)) return false;
    program_ = std::move(candidate);
    progress_ = true;
    return true;
  }

  void LeaveOutRunsOf(size_t size) {
    for (size_t begin = 0; begin < program_.calls.size();) {
      Program candidate = program_;
      const size_t end = std::min(begin + size, candidate.calls.size());
      candidate.calls.erase(candidate.calls.begin() + static_cast<ptrdiff_t>(begin),
                            candidate.calls.begin() + static_cast<ptrdiff_t>(end));
      if (candidate.calls.empty() || !Try(std::move(candidate))) begin = end;
    }
  }

  // `find` finds the message in the program and in its copies.
  void ShrinkMessage(const Finder& find) {
    for (const Place& place : PlacesIn(*find(&program_))) {
      Program candidate = program_;
      LeaveOut(place, find(&candidate));
      if (Try(std::move(candidate))) continue;
      if (place.field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        ShrinkMessage([&find, place](Program* p) { return Enter(place, find(p)); });
      }
    }
  }

  Program program_;
  size_t asks_left_;
  const std::function<bool(const Program&)>& fails_;
  bool progress_ = false;
};

}  // namespace

Program Shrink(Program program, size_t asks_max, const std::function<bool(const Program&)>& fails) {
  return Shrinker(std::move(program), asks_max, fails).Run();
}

}  // namespace pontoon::differential
