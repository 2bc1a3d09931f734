#include "cmd/pontoon/peer_book.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cmd/pontoon/checked_text.h"
#include "cmd/pontoon/identity.h"
#include "raft/env/log.h"

namespace pontoon {
namespace {

constexpr absl::string_view kFirstLine = "pontoon-peers 1\n";

}  // namespace

std::string HowToComeBack(NodeId member) {
  return absl::StrCat(
      "If its folder still exists (a wrong --data-dir, a disk that is not mounted), start it with "
      "that one. Otherwise remove it and add it anew: pontoonctl member remove ",
      FormatNodeId(member),
      ", pontoonctl member add, and start it with an empty data folder and "
      "--initial-cluster-state existing");
}

absl::Status WipedMember(NodeId member) {
  return absl::FailedPreconditionError(
      absl::StrCat("member ", FormatNodeId(member),
                   " was wiped: it came without the data that it had, and does not know what it "
                   "voted. ",
                   HowToComeBack(member)));
}

std::string FormatIncarnations(const Incarnations& incarnations) {
  std::string text(kFirstLine);
  for (const auto& [peer, incarnation] : incarnations) {
    absl::StrAppend(&text, "peer ", FormatId(peer.value()), " ", FormatId(incarnation), "\n");
  }
  return WithChecksum(text);
}

absl::StatusOr<Incarnations> ParseIncarnations(absl::string_view text) {
  const absl::Status damaged = absl::DataLossError("is damaged");
  std::optional<absl::string_view> body = CheckedBody(text);
  if (!body.has_value() || !absl::ConsumePrefix(&*body, kFirstLine)) return damaged;
  Incarnations incarnations;
  for (const absl::string_view line : absl::StrSplit(*body, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    uint64_t peer = 0;
    uint64_t incarnation = 0;
    if (words.size() != 3 || words[0] != "peer" || !ParseHex(words[1], peer) ||
        !ParseHex(words[2], incarnation)) {
      return damaged;
    }
    incarnations[NodeId(peer)] = incarnation;
  }
  return incarnations;
}

absl::StatusOr<std::unique_ptr<PeerBook>> PeerBook::Open(FileSystem* fs, const std::string& path) {
  const absl::StatusOr<bool> exists = fs->Exists(path);
  if (!exists.ok()) return exists.status();
  Incarnations incarnations;
  if (*exists) {
    const absl::StatusOr<std::string> text = ReadTextFile(fs, path);
    if (!text.ok()) return text.status();
    absl::StatusOr<Incarnations> parsed = ParseIncarnations(*text);
    if (!parsed.ok()) {
      return absl::DataLossError(
          absl::StrCat(path, " is damaged: put back an undamaged copy of this file"));
    }
    incarnations = *std::move(parsed);
  }
  return std::unique_ptr<PeerBook>(new PeerBook(fs, path, std::move(incarnations)));
}

absl::Status PeerBook::Write(const Incarnations& incarnations) {
  return ReplaceFile(fs_, path_, FormatIncarnations(incarnations));
}

absl::Status PeerBook::Admit(NodeId peer, uint64_t incarnation) {
  std::lock_guard lock(mutex_);
  if (const auto known = incarnations_.find(peer); known != incarnations_.end()) {
    return known->second == incarnation ? absl::OkStatus() : WipedMember(peer);
  }
  Incarnations next = incarnations_;
  next[peer] = incarnation;
  if (absl::Status s = Write(next); !s.ok()) {
    LogError("cannot note who a peer is, and so does not listen to it",
             {{"peer", peer}, {"reason", std::string(s.message())}});
    return absl::UnavailableError("this member cannot write its disk");
  }
  incarnations_ = std::move(next);
  return absl::OkStatus();
}

std::optional<uint64_t> PeerBook::IncarnationOf(NodeId peer) const {
  std::lock_guard lock(mutex_);
  const auto known = incarnations_.find(peer);
  if (known == incarnations_.end()) return std::nullopt;
  return known->second;
}

void PeerBook::Retain(const std::set<NodeId>& peers) {
  std::lock_guard lock(mutex_);
  Incarnations next = incarnations_;
  const size_t forgotten =
      std::erase_if(next, [&](const auto& known) { return !peers.contains(known.first); });
  if (forgotten == 0) return;
  if (absl::Status s = Write(next); !s.ok()) {
    LogWarn("cannot forget peers that are gone", {{"reason", std::string(s.message())}});
    return;
  }
  incarnations_ = std::move(next);
}

}  // namespace pontoon
