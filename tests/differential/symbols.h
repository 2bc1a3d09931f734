// Symbols: what a program calls by names of its own, since each server gives it another value.

#ifndef PONTOON_TESTS_DIFFERENTIAL_SYMBOLS_H_
#define PONTOON_TESTS_DIFFERENTIAL_SYMBOLS_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <map>

namespace pontoon::differential {

// The revision of every server when a program begins, as the program knows it. A server that has
// run thousands of programs is somewhere else; Symbols translates. Revisions near it are relative;
// 0, -1 and the like are what they are.
inline constexpr int64_t kBaseRevision = 1'000'000'000;

// The first of the names of leases whose ids are drawn by the server.
inline constexpr int64_t kFirstDrawnLease = 2'000'000'000;

// How far a value may lie from one of the two to be a symbol.
inline constexpr int64_t kSymbolSpan = 1'000'000;

bool IsRelativeRevision(int64_t value);
bool IsDrawnLease(int64_t value);

// What the symbols of one run of a program stand for on one server.
//
// Thread safety: none.
class Symbols {
 public:
  // `base` is the server's revision at the beginning of the program.
  explicit Symbols(int64_t base) : base_(base) {}

  // From now on the server's lease `id` is called `name`, which IsDrawnLease.
  void NameLease(int64_t name, int64_t id);

  // Replaces every symbol in a request by its value. The name of a lease that does not exist stays:
  // no server draws such an id.
  void Resolve(google::protobuf::Message* request) const;

  // Replaces the revisions and the drawn ids of leases in a response by symbols.
  void Restore(google::protobuf::Message* response) const;

 private:
  int64_t ValueOf(int64_t symbol) const;

  const int64_t base_;
  std::map<int64_t, int64_t> ids_;    // by name
  std::map<int64_t, int64_t> names_;  // by id
};

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_SYMBOLS_H_
