// Damage to the log of a stopped node, in the files of the real server. A tail that was cut, at
// whatever byte, is repaired at the next start, and what it held, though it was acknowledged, comes
// back from the other nodes; damage before the last record keeps the node from starting, with the
// file and the place named.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/files.h"
#include "tests/integration/process.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/store_state.h"

namespace pontoon::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int kKeys = 20;
constexpr char kPrefix[] = "kept/";

// A segment of the log, as raft/storage/log_format.h describes it: a header, frames, zeros. This
// reads it on its own, without the server's code.
class SegmentFile {
 public:
  explicit SegmentFile(const fs::path& path) : path_(path), content_(ReadFile(path)) {
    for (size_t at = kHeaderBytes; Number(at + kCountOffset) != 0; at += FrameBytes(at)) {
      frames_.push_back(at);
    }
    end_ = frames_.empty() ? kHeaderBytes : frames_.back() + FrameBytes(frames_.back());
  }

  const fs::path& path() const { return path_; }
  // Where the frames begin.
  const std::vector<size_t>& frames() const { return frames_; }
  // Where the last frame ends.
  size_t end() const { return end_; }

  // The content, without the zeros after the last frame.
  std::string Data() const { return content_.substr(0, end_); }
  // Of the file, with the zeros.
  size_t file_bytes() const { return content_.size(); }

 private:
  static constexpr size_t kHeaderBytes = 64;
  static constexpr size_t kFrameHeaderBytes = 32;
  static constexpr size_t kLengthOffset = 16;
  static constexpr size_t kCountOffset = 20;

  // The little-endian 32-bit number at `at`.
  uint32_t Number(size_t at) const {
    uint32_t number = 0;
    for (size_t i = 4; i-- > 0;) {
      number = number << 8 | (at + i < content_.size() ? uint8_t(content_[at + i]) : 0);
    }
    return number;
  }

  size_t FrameBytes(size_t at) const {
    return kFrameHeaderBytes + (Number(at + kLengthOffset) + 7) / 8 * 8;
  }

  fs::path path_;
  std::string content_;
  std::vector<size_t> frames_;
  size_t end_ = 0;
};

// The last segment in a node's data folder.
fs::path LastSegment(const fs::path& data) {
  fs::path last;
  for (const auto& file : fs::directory_iterator(data / "log")) {
    if (file.path().extension() == ".log") last = std::max(last, file.path());
  }
  return last;
}

// Leaves the folder: a node takes one that is gone for a disk that is not there.
void RemoveState(const fs::path& data) {
  fs::remove_all(data / "state");
  fs::create_directory(data / "state");
}

// The work is cut into parts of equal size, which run side by side.
constexpr int kParts = 4;

// Writes keys one by one, which makes many small frames.
void WriteKeys(Client& client) {
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_OK(client.Put(absl::StrCat(kPrefix, i), absl::StrCat("value ", i)));
  }
}

// A node of three that is killed, loses the end of its log, and has only the rest of it and its
// vote to begin with again. Its state goes too: were it left, it could hold what the cut took away,
// and then the node would be right to refuse.
class CutTailTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.StartAll());
    ASSERT_OK_AND_ASSIGN(const int leader, cluster_.WaitForLeader());
    cut_node_ = (leader + 1) % cluster_.size();
    WriteKeys(cluster_.client(leader));
    for (int node : cluster_.AllNodes()) ASSERT_OK(cluster_.WaitForCatchUp(node));
    ASSERT_OK_AND_ASSIGN(want_, ReadState(cluster_.client(leader), "", ReadMode::kLinearizable));
    ASSERT_EQ(want_.keys.size(), size_t{kKeys});
    cluster_.Kill(cut_node_);
    segment_ = std::make_unique<SegmentFile>(LastSegment(data()));
    ASSERT_GE(segment_->frames().size(), 3u);
  }

  const fs::path& data() const { return cluster_.data_folder(cut_node_); }

  // Has the node's log end with the first `cut` bytes of its segment, in a file of `file_bytes`,
  // and starts the node: it must get from the others what it lost.
  void ExpectRepaired(size_t cut, size_t file_bytes) {
    WriteFile(segment_->path(), segment_->Data().substr(0, cut));
    fs::resize_file(segment_->path(), file_bytes);
    ExpectStartsWithEverything();
  }

  // Starts the node with what its log holds now.
  void ExpectStartsWithEverything() {
    RemoveState(data());
    ASSERT_OK(cluster_.Start(cut_node_));
    ASSERT_OK(cluster_.WaitForCatchUp(cut_node_));
    ExpectHasEverything(cut_node_);
    cluster_.Kill(cut_node_);
  }

  void ExpectHasEverything(int node) {
    ASSERT_OK_AND_ASSIGN(const StoreState got,
                         ReadState(cluster_.client(node), "", ReadMode::kSerializable));
    EXPECT_EQ(DifferenceOf(want_, got), "") << "on node " << node;
  }

  Cluster cluster_;
  int cut_node_ = 0;
  StoreState want_;
  std::unique_ptr<SegmentFile> segment_;  // of the node before any cut
};

TEST_P(CutTailTest, AtAnyByteOfTheLastTwoRecordsIsRepairedAndNothingIsLost) {
  const size_t first_cut = segment_->frames().end()[-2];
  int cuts = 0;
  for (size_t cut = first_cut + GetParam(); cut < segment_->end(); cut += kParts, ++cuts) {
    SCOPED_TRACE(::testing::Message() << "cut at byte " << cut);
    ExpectRepaired(cut, cut);  // the file ends there
    // What was repaired and then written must last.
    if (cuts % 8 == 0) ExpectStartsWithEverything();
    if (cuts % 4 == 0) ExpectRepaired(cut, segment_->file_bytes());  // zeros from there on
    if (HasFailure()) return;
  }
  EXPECT_GT(cuts, 10);
  for (int node : cluster_.AllNodesBut(cut_node_)) ExpectHasEverything(node);
}

INSTANTIATE_TEST_SUITE_P(Part, CutTailTest, ::testing::Range(0, kParts));

// One server with a log of a few small frames, and the means to put its folder back to where it
// was.
class LogDamageTest : public ::testing::TestWithParam<int> {
 protected:
  static ClusterOptions OneQuickNode() {
    return {.node_count = 1,
            .heartbeat_interval = absl::Milliseconds(20),
            .election_timeout = absl::Milliseconds(100)};
  }

  void SetUp() override {
    ASSERT_OK(cluster_.StartAll());
    WriteKeys(cluster_.client(0));
    cluster_.Kill(0);
    segment_ = std::make_unique<SegmentFile>(LastSegment(data()));
    ASSERT_GE(segment_->frames().size(), size_t{kKeys}) << "writes one by one make many frames";
    for (const auto& [name, content] : ReadTree(data())) {
      if (data() / name != segment_->path()) saved_[name] = content;
    }
  }

  const fs::path& data() const { return cluster_.data_folder(0); }

  // Puts the folder back, with a segment that holds `content` in a file of `file_bytes`.
  void Restore(std::string_view content, size_t file_bytes) {
    fs::remove_all(data());
    for (const char* folder : {"log", "state"}) fs::create_directories(data() / folder);
    for (const auto& [name, bytes] : saved_) {
      fs::create_directories((data() / name).parent_path());
      WriteFile(data() / name, bytes);
    }
    WriteFile(segment_->path(), content);
    fs::resize_file(segment_->path(), file_bytes);
  }

  // Runs the node, which must refuse to, and name the segment and the place of the damage.
  void ExpectRefuses(size_t damaged_byte) {
    CommandOptions command;
    command.argv = CommandLine(Program::kPontoon, cluster_.FlagsOf(0));
    command.timeout = absl::Seconds(20);
    ASSERT_OK_AND_ASSIGN(const CommandResult result, RunCommand(command));
    EXPECT_EQ(result.exit, (ExitStatus{.code = 1}));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr(" ERROR "));
    EXPECT_THAT(result.err, HasSubstr(segment_->path().string()));
    EXPECT_THAT(result.err, HasSubstr(PlaceOf(damaged_byte)));
  }

  // How the message names the place: by where the frame begins in which the byte lies, or by the
  // file's begin if the byte is of its header.
  std::string PlaceOf(size_t byte) const {
    size_t place = 0;
    for (size_t frame : segment_->frames()) {
      if (frame <= byte) place = frame;
    }
    return place == 0 ? "at byte 0:" : absl::StrCat("at byte ", place, " ");
  }

  Cluster cluster_{OneQuickNode()};
  std::unique_ptr<SegmentFile> segment_;
  std::map<std::string, std::string> saved_;  // all files but the segment
};

TEST_P(LogDamageTest, ByteFlippedBeforeTheLastRecordIsRefused) {
  const std::string data = segment_->Data();
  const size_t last = segment_->frames().end()[-1];
  const size_t second_to_last = segment_->frames().end()[-2];
  int flips = 0;
  for (size_t byte = GetParam(); byte < last; byte += kParts) {
    // Every byte of the file's header and of the record before the last; a sample of the others.
    const bool sampled = byte < segment_->frames().front() || byte >= second_to_last;
    if (!sampled && byte / kParts % 16 != 0) continue;
    SCOPED_TRACE(::testing::Message() << "flipped a bit of byte " << byte);
    std::string damaged = data;
    damaged[byte] ^= static_cast<char>(1 << byte % 8);
    Restore(damaged, segment_->file_bytes());
    ExpectRefuses(byte);
    ++flips;
    if (HasFailure()) return;
  }
  EXPECT_GT(flips, 20);
}

INSTANTIATE_TEST_SUITE_P(Part, LogDamageTest, ::testing::Range(0, kParts));

// All nodes lose their processes, and one of them the end of its log and its state too, with writes
// that it had acknowledged. The two others still have these, and whoever of them leads brings them
// back.
TEST(LogDamageInAClusterTest, NodeWithACutLogLosesNothing) {
  constexpr int kRounds = 6;
  constexpr int kWritesPerRound = 10;
  Cluster cluster;
  ASSERT_OK(cluster.StartAll());
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(::testing::Message() << "round " << round);
    for (int i = 0; i < kWritesPerRound; ++i) {
      ASSERT_OK(cluster.client(i % 3).Put(absl::StrCat(kPrefix, round, "/", i), "value"));
    }
    for (int node : cluster.AllNodes()) ASSERT_OK(cluster.WaitForCatchUp(node));
    cluster.KillAll();

    const SegmentFile segment(LastSegment(cluster.data_folder(round % 3)));
    ASSERT_GE(segment.frames().size(), 2u);
    const size_t first_cut = segment.frames().end()[-2];
    const size_t cut = first_cut + (segment.end() - first_cut) * round / kRounds;
    fs::resize_file(segment.path(), cut);
    RemoveState(cluster.data_folder(round % 3));

    ASSERT_OK(cluster.StartAll());
    ASSERT_OK_AND_ASSIGN(const StoreState want,
                         ReadState(cluster.client(0), kPrefix, ReadMode::kLinearizable));
    EXPECT_EQ(want.keys.size(), size_t(round + 1) * kWritesPerRound);
    for (int node : {1, 2}) {
      ASSERT_OK_AND_ASSIGN(const StoreState got,
                           ReadState(cluster.client(node), kPrefix, ReadMode::kLinearizable));
      EXPECT_EQ(DifferenceOf(want, got), "") << "on node " << node;
    }
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace pontoon::testing
