#include "cmd/pontoonctl/sha256.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace pontoon::ctl {
namespace {

// FIPS 180-4, the example for one block.
TEST(Sha256, OfBytesThatComeInPieces) {
  Sha256 sha256;
  sha256.Add("a");
  sha256.Add("");
  sha256.Add("bc");
  EXPECT_EQ(absl::BytesToHexString(sha256.Finish()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace pontoon::ctl
