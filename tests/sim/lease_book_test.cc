#include "tests/sim/lease_book.h"

#include <gtest/gtest.h>

namespace pontoon::sim {
namespace {

using Kind = kv::LeaseQuestion::Kind;
using WantedBy = LeaseBook::WantedBy;

constexpr LeaseId kLease{7};

SimTime At(double seconds) { return SimTime() + absl::Seconds(seconds); }

// A lease of 10 s, granted after 100 s, with clocks that are right.
class LeaseBookTest : public testing::Test {
 protected:
  LeaseBookTest() { book_.OnGranted(kLease, 10, At(100)); }

  void Answer(Kind kind, int64_t seconds, double asked, double answered) {
    book_.OnAnswer({.kind = kind,
                    .lease = kLease,
                    .seconds = seconds,
                    .asked = At(asked),
                    .answered = At(answered)});
  }

  LeaseBook book_{{.clock_rate_error_max = 0, .election_timeout = absl::Seconds(1)}};
};

using LeaseBookDeathTest = LeaseBookTest;

TEST_F(LeaseBookTest, ALeaseMayEndWhenItsTimeIsOver) {
  book_.OnRevoked(kLease, WantedBy::kClock, At(110));
}

TEST_F(LeaseBookDeathTest, NotBefore) {
  EXPECT_DEATH(book_.OnRevoked(kLease, WantedBy::kClock, At(109.9)), "before the time");
}

TEST_F(LeaseBookTest, AClientMayEndItWhenever) {
  book_.OnRevoked(kLease, WantedBy::kClient, At(101));
}

TEST_F(LeaseBookDeathTest, ARenewalPromisesTheWholeTime) {
  Answer(Kind::kRenew, 10, 105, 105.5);
  EXPECT_DEATH(book_.OnRevoked(kLease, WantedBy::kClock, At(115.4)), "before the time");
  book_.OnRevoked(kLease, WantedBy::kClock, At(115.5));
}

TEST_F(LeaseBookDeathTest, TheTimeLeftIsAPromiseToo) {
  Answer(Kind::kTimeLeft, 11, 100, 100);
  EXPECT_DEATH(book_.OnRevoked(kLease, WantedBy::kClock, At(110.9)), "before the time");
  EXPECT_DEATH(Answer(Kind::kTimeLeft, 13, 100, 100), "said to live for 13 s");
}

TEST_F(LeaseBookDeathTest, ARenewalTakesNothingAway) {
  Answer(Kind::kTimeLeft, 11, 101, 101);
  Answer(Kind::kTimeLeft, 0, 102, 102);
  EXPECT_DEATH(book_.OnRevoked(kLease, WantedBy::kClock, At(111.9)), "before the time");
}

// The answer to a question that came before the end.
TEST_F(LeaseBookDeathTest, ALeaseThatHasEndedIsNotPromised) {
  book_.OnRevoked(kLease, WantedBy::kClock, At(110));
  Answer(Kind::kTimeLeft, 0, 109, 111);
  EXPECT_DEATH(Answer(Kind::kRenew, 10, 109, 111), "before the time");
}

TEST_F(LeaseBookDeathTest, NorIsItSaidToLiveByWhoIsAskedLater) {
  book_.OnRevoked(kLease, WantedBy::kClient, At(101));
  Answer(Kind::kRenew, 10, 100.9, 102);
  EXPECT_DEATH(Answer(Kind::kRenew, 10, 101.1, 102), "was revoked before that was asked");
}

TEST_F(LeaseBookDeathTest, ALeaseThatLivesIsNotSaidToBeGone) {
  Answer(Kind::kRenew, kv::kNoSuchLease, 99, 100);
  EXPECT_DEATH(Answer(Kind::kRenew, kv::kNoSuchLease, 101, 102), "is said not to");
  book_.OnRevoked(kLease, WantedBy::kClient, At(103));
  Answer(Kind::kRenew, kv::kNoSuchLease, 102, 104);
}

TEST_F(LeaseBookDeathTest, LeasesAreGrantedAndRevokedOnce) {
  EXPECT_DEATH(book_.OnGranted(kLease, 10, At(101)), "a second time");
  book_.OnRevoked(kLease, WantedBy::kClient, At(102));
  EXPECT_DEATH(book_.OnRevoked(kLease, WantedBy::kClient, At(103)), "a second time");
}

// 10 s on a clock that is 10 % fast, by a leader that is not delayed; an election timeout of a
// clock that is as slow, less one of a fast clock, may be lost to a leader that is.
TEST(LeaseBookOfWrongClocksTest, PromisesLess) {
  const LeaseBook book({.clock_rate_error_max = 0.1, .election_timeout = absl::Seconds(1)});
  EXPECT_LT(book.LeastOf(10), absl::Seconds(10 / 1.1));
  EXPECT_GT(book.LeastOf(10), absl::Seconds(10 / 1.1 - 2 * 0.1 * 1 / 0.9));
  EXPECT_EQ(book.LeastOf(0), absl::ZeroDuration());
  EXPECT_GT(book.MostOf(absl::Seconds(9)), absl::Seconds(10));
  EXPECT_LT(book.MostOf(absl::Seconds(9)), absl::Seconds(10.01));
}

}  // namespace
}  // namespace pontoon::sim
