#include "cmd/pontoonctl/progress.h"

#include <gtest/gtest.h>

#include <sstream>

namespace pontoon::ctl {
namespace {

TEST(ProgressText, ShowsShareRateAndTimeLeft) {
  EXPECT_EQ(ProgressText("import", 901, 1802, absl::Seconds(2)),
            "import [###############...............]  50% 901/1802, 450/s, 2s left");
  EXPECT_EQ(ProgressText("export", 0, 10, absl::Seconds(1)),
            "export [..............................]   0% 0/10, 0/s");
  EXPECT_EQ(ProgressText("export", 10, 10, absl::Seconds(10)),
            "export [##############################] 100% 10/10, 1/s");
  EXPECT_EQ(ProgressText("import", 0, 0, absl::ZeroDuration()),
            "import [##############################] 100% 0/0, 0/s");
}

TEST(Progress, LinesOfItsOwnAreNotDrawnOver) {
  std::istringstream in;
  std::ostringstream out, err;
  {
    Progress progress("import", Terminal{in, out, err, Terminal::Progress::kBar});
    progress.Expect(2);
    progress.Add(1);
    progress.Say("a: skipped");
    progress.Add(1);
  }
  EXPECT_EQ(err.str(), "a: skipped\n") << "a short job draws no bar";
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace pontoon::ctl
