// CHECK: assertions that stay on in every build.
//
// A failed CHECK is a programmer's error, never a reaction to input, to the network or to the disk.
// It prints the expression, the place and what was streamed into it, and aborts: a replica that
// stops is safe, one that goes on from a state it does not understand is not.
//
//   CHECK(last >= first) << "range " << first << ".." << last;
//   CHECK_EQ(entry.index, next) << "entries must be contiguous";

#ifndef PONTOON_RAFT_BASE_CHECK_H_
#define PONTOON_RAFT_BASE_CHECK_H_

#include <sstream>

namespace pontoon::check_internal {

// Collects the message of one failed check; its destructor prints it and aborts.
class Failure {
 public:
  Failure(const char* file, int line, const char* expression);
  [[noreturn]] ~Failure();

  std::ostream& stream() { return message_; }

 private:
  std::ostringstream message_;
};

// Turns the streamed failure into void, so that both arms of the conditional in CHECK agree.
struct Voidify {
  void operator&(std::ostream&) const {}
};

}  // namespace pontoon::check_internal

#define CHECK(condition)                              \
  (__builtin_expect(static_cast<bool>(condition), 1)) \
      ? (void)0                                       \
      : ::pontoon::check_internal::Voidify() &        \
            ::pontoon::check_internal::Failure(__FILE__, __LINE__, #condition).stream()

#define PONTOON_CHECK_OP(a, op, b) CHECK((a)op(b)) << "(" << (a) << " vs. " << (b) << ") "

#define CHECK_EQ(a, b) PONTOON_CHECK_OP(a, ==, b)
#define CHECK_NE(a, b) PONTOON_CHECK_OP(a, !=, b)
#define CHECK_LT(a, b) PONTOON_CHECK_OP(a, <, b)
#define CHECK_LE(a, b) PONTOON_CHECK_OP(a, <=, b)
#define CHECK_GT(a, b) PONTOON_CHECK_OP(a, >, b)
#define CHECK_GE(a, b) PONTOON_CHECK_OP(a, >=, b)

#endif  // PONTOON_RAFT_BASE_CHECK_H_
