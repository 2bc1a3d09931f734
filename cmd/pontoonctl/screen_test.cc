#include "cmd/pontoonctl/screen.h"

#include <gtest/gtest.h>

#include <sstream>

#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

std::string Shown(bool on_screen, uint64_t count) {
  std::istringstream in;
  std::ostringstream out, err;
  const Terminal terminal{in, out, err, Terminal::Progress::kLines, on_screen};
  int drawn = 0;
  ShowRepeatedly(terminal, {.interval = absl::Milliseconds(1), .count = count},
                 [&] { return absl::StrCat("picture ", ++drawn, "\n"); });
  return out.str();
}

TEST(Screen, InAFilePicturesFollowEachOther) {
  EXPECT_EQ(Shown(false, 3), "picture 1\n\npicture 2\n\npicture 3\n");
}

TEST(Screen, OnATerminalAPictureTakesThePlaceOfTheOneBefore) {
  EXPECT_EQ(Shown(true, 2),
            "\x1b[H\x1b[J"
            "\x1b[Hpicture 1\x1b[K\n\x1b[J"
            "\x1b[Hpicture 2\x1b[K\n\x1b[J");
}

TEST(Screen, OnePictureAloneWipesNothing) { EXPECT_EQ(Shown(true, 1), "picture 1\n"); }

TEST(Screen, EndsWhereNobodyReads) {
  std::istringstream in;
  std::ostringstream out, err;
  out.setstate(std::ios::badbit);
  int drawn = 0;
  ShowRepeatedly({in, out, err, Terminal::Progress::kLines, false}, {.count = 0}, [&] {
    ++drawn;
    return std::string("x\n");
  });
  EXPECT_EQ(drawn, 1);
}

}  // namespace
}  // namespace pontoon::ctl
