#include "raft/core/testing/scenario.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "raft/core/testing/describe.h"

namespace pontoon::raft {
namespace {

constexpr int kStepsMax = 100'000;  // of one "stabilize"

// The content of an entry that "given" put into a log; the same wherever it has this position.
Entry GivenEntry(LogIndex index, Term term) {
  return {.index = index,
          .term = term,
          .kind = EntryKind::kCommand,
          .request = {},
          .payload = std::make_shared<const std::string>(Describe(LogPosition{index, term}))};
}

}  // namespace

Scenario::Outcome Scenario::Run(const std::string& text) {
  Scenario scenario;
  std::string out;
  bool in_output = false;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    ++number;
    if (in_output && !line.empty()) continue;  // what happened when the file was written
    if (line == "----") {
      if (scenario.output_.empty()) scenario.output_ = "(nothing)\n";
      absl::StrAppend(&out, "----\n", std::exchange(scenario.output_, ""));
      in_output = true;
      continue;
    }
    in_output = false;
    absl::StrAppend(&out, line, "\n");
    if (line.empty() || line[0] == '#') continue;
    scenario.RunLine(number, std::string(line));
    if (scenario.failed()) {
      absl::StrAppend(&out, "----\n", scenario.output_);
      break;
    }
  }
  if (!scenario.failed() && !scenario.output_.empty()) {
    scenario.Fail("the last block has no ----");
  }
  return {std::move(out), scenario.failure_};
}

void Scenario::RunLine(int line, const std::string& command) {
  line_ = line;
  Words words = absl::StrSplit(command, ' ', absl::SkipEmpty());
  quiet_ = words[0] == "quietly";
  if (quiet_) words.erase(words.begin());
  if (words.empty() || (!cluster_ && words[0] != "cluster")) {
    return Fail("no cluster is there yet");
  }
  Command(std::move(words));
  if (!failed() && cluster_->failure()) Fail(*cluster_->failure());
}

void Scenario::Command(Words words) {
  const std::string verb = words[0];
  const auto node = [&](size_t position) {
    if (position < words.size()) return Node(words[position]);
    Fail("a node is missing");
    return NodeId(1);
  };
  const auto alive = [&](NodeId id) {
    if (!failed() && !cluster_->alive(id)) Fail("this node is not running");
    return !failed();
  };
  if (verb == "cluster") return Cluster(words);
  if (verb == "given") return Given(words);
  if (verb == "campaign") return Campaign(words);
  if (verb == "elect") return Elect(words);
  if (verb == "skip") return Skip(words);
  if (verb == "time") return Time(words);
  if (verb == "run") return RunFor(words);
  if (verb == "persist") return Persist(words);
  if (verb == "partition") return Partition(words);
  if (verb == "log") return PrintLog(words);
  if (verb == "members") return PrintMembers(words);
  if (verb == "change") return Change(words);
  if (verb == "state") return PrintState();
  if (verb == "stabilize") return Stabilize();
  if (verb == "heal") return cluster_->Heal();
  if (verb == "network") {
    for (const Packet& packet : cluster_->network()) {
      Print(Describe(packet.message) + (packet.delayed ? " (delayed)" : ""));
    }
    return;
  }
  if (verb == "hold-disk") {
    held_disks_.insert(node(1));
  } else if (verb == "free-disk") {
    held_disks_.erase(node(1));
  } else if (verb == "cut" && words.size() == 2) {
    const auto [from, to] = Link(words[1]);
    cluster_->Cut(from, to);
  } else if (verb == "propose") {
    if (alive(node(1))) cluster_->Propose(node(1), Words(words.begin() + 2, words.end()));
  } else if (verb == "read") {
    if (alive(node(1))) cluster_->BeginRead(node(1));
  } else if (verb == "lease-read") {
    if (alive(node(1))) cluster_->BeginRead(node(1), ReadMode::kLease);
  } else if (verb == "transfer") {
    const NodeId target = words.size() > 2 && words[2] == "any" ? kNoNode : node(2);
    if (alive(node(1))) cluster_->Transfer(node(1), target);
  } else if (verb == "unreachable") {
    if (alive(node(1))) cluster_->ReportUnreachable(node(1), node(2));
  } else if (verb == "down") {
    if (alive(node(1))) cluster_->ReportDown(node(1), node(2));
  } else if (verb == "read-log") {
    if (!cluster_->HasLogRead(node(1))) return Fail("nothing is to be read");
    cluster_->ServeLogRead(node(1));
  } else if (verb == "damage-log") {
    if (!cluster_->HasLogRead(node(1))) return Fail("nothing is to be read");
    cluster_->FailLogRead(node(1));
  } else if (verb == "compact") {
    if (words.size() != 3) return Fail("compact N UPTO");
    if (alive(node(1))) cluster_->Compact(node(1), LogIndex(Number(words[2])));
  } else if (verb == "send-snapshot") {
    if (!cluster_->HasSnapshotRequest(node(1))) return Fail("no snapshot is wanted");
    cluster_->SendSnapshot(node(1));
  } else if (verb == "give-up-snapshots") {
    if (!cluster_->HasTransfers(node(1))) return Fail("no snapshot was sent");
    cluster_->GiveUpTransfers(node(1));
  } else if (verb == "crash") {
    TestCluster::Remains remains;
    if (words.size() == 4 && words[2] == "applied")
      remains.applied_kept = LogIndex(Number(words[3]));
    if (words.size() == 3 && words[2] == "state-lost") remains.state_lost = true;
    if (alive(node(1))) cluster_->Crash(node(1), remains);
  } else if (verb == "restart") {
    if (cluster_->alive(node(1))) return Fail("this node is running");
    cluster_->Restart(node(1));
  } else {
    OnPackets(verb, std::move(words));
  }
}

// ---- setting up

void Scenario::Cluster(const Words& words) {
  if (words.size() < 2) return Fail("how many nodes?");
  TestCluster::Options options;
  // Most stories are about single appends.
  options.core.append_gather_delay = absl::ZeroDuration();
  options.nodes = Number(words[1]);
  for (size_t i = 2; i < words.size(); ++i) {
    const std::vector<std::string> option = absl::StrSplit(words[i], '=');
    if (option.size() != 2) return Fail(absl::StrCat("what is ", words[i], "?"));
    const std::string& value = option[1];
    if (option[0] == "heartbeat") {
      options.core.heartbeat_interval = DurationOf(value);
    } else if (option[0] == "election") {
      options.core.election_timeout = DurationOf(value);
    } else if (option[0] == "lease") {
      options.core.lease_duration = DurationOf(value);
    } else if (option[0] == "gather") {
      options.core.append_gather_delay = DurationOf(value);
    } else if (option[0] == "notice") {
      options.core.commit_notice_delay = DurationOf(value);
    } else if (option[0] == "inflight") {
      options.core.inflight_messages_max = Number(value);
    } else if (option[0] == "inflight-bytes") {
      options.core.inflight_bytes_max = Number(value);
    } else if (option[0] == "append-bytes") {
      options.core.append_bytes_max = Number(value);
    } else if (option[0] == "window-bytes") {
      options.core.window_bytes_max = Number(value);
    } else if (option[0] == "uncommitted-bytes") {
      options.core.uncommitted_bytes_max = Number(value);
    } else if (option[0] == "prefer") {
      options.priorities[NodeId(Number(value))] = 1;
    } else if (option[0] == "founders") {
      options.founders = Number(value);
    } else if (option[0] == "seed") {
      options.seed = Number(value);
    } else {
      return Fail(absl::StrCat("there is no option ", option[0]));
    }
  }
  if (failed()) return;
  held_disks_.clear();
  cluster_ = std::make_unique<TestCluster>(options, [this](const std::string& l) { Print(l); });
}

void Scenario::Given(const Words& words) {
  if (words.size() < 2) return Fail("which node?");
  HardState hard_state;
  std::vector<Entry> log;
  LogIndex applied;
  for (size_t i = 2; i + 1 < words.size();) {
    const std::string& what = words[i++];
    if (what == "term") {
      hard_state.term = Term(Number(words[i++]));
    } else if (what == "vote") {
      hard_state.vote = NodeId(Number(words[i++]));
    } else if (what == "applied") {
      applied = LogIndex(Number(words[i++]));
    } else if (what == "log") {
      for (uint64_t term; i < words.size() && absl::SimpleAtoi(words[i], &term); ++i) {
        log.push_back(GivenEntry(LogIndex(log.size() + 1), Term(term)));
      }
    } else {
      return Fail(absl::StrCat("what is ", what, "?"));
    }
  }
  if (!failed()) cluster_->Give(Node(words[1]), hard_state, std::move(log), applied);
}

void Scenario::Partition(const Words& words) {
  std::vector<std::vector<NodeId>> groups(1);
  for (size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "|") {
      groups.emplace_back();
    } else {
      groups.back().push_back(Node(words[i]));
    }
  }
  if (failed()) return;
  for (const auto& group : groups) {
    for (const auto& other : groups) {
      if (&group == &other) continue;
      for (const NodeId from : group) {
        for (const NodeId to : other) cluster_->Cut(from, to);
      }
    }
  }
}

void Scenario::Change(const Words& words) {
  using Kind = MembershipChange::Kind;
  static const std::map<std::string, Kind> kKinds = {{"add", Kind::kAddVoter},
                                                     {"add-learner", Kind::kAddLearner},
                                                     {"promote", Kind::kPromote},
                                                     {"demote", Kind::kDemote},
                                                     {"remove", Kind::kRemove}};
  if (words.size() < 3) return Fail("change N CHANGE...");
  std::vector<MembershipChange> changes;
  for (size_t i = 2; i < words.size(); ++i) {
    const std::vector<std::string> parts = absl::StrSplit(words[i], ':');
    const auto kind = kKinds.find(parts[0]);
    if (parts.size() != 2 || kind == kKinds.end()) return Fail("there is no change " + words[i]);
    changes.push_back({kind->second, Node(parts[1])});
  }
  const NodeId node = Node(words[1]);
  if (!failed() && !cluster_->alive(node)) return Fail("this node is not running");
  if (!failed()) cluster_->Change(node, std::move(changes));
}

// ---- time

void Scenario::Campaign(const Words& words) {
  for (const NodeId node : NodesFrom(words, 1)) {
    if (!cluster_->alive(node) || cluster_->core(node).role() == Role::kLeader) {
      return Fail("this node cannot campaign");
    }
    const absl::Duration wait = cluster_->next_deadline(node) - cluster_->clock(node);
    cluster_->AdvanceClock(node, std::max(wait, absl::ZeroDuration()));
    cluster_->FireDeadline(node);
  }
}

void Scenario::Elect(const Words& words) {
  if (words.size() < 4 || words[2] != "by") return Fail("elect whom, by whom?");
  const NodeId node = Node(words[1]);
  const std::vector<NodeId> voters = NodesFrom(words, 3);
  if (failed() || !cluster_->alive(node)) return Fail("this node cannot be elected");
  const absl::Duration silence = absl::Seconds(3);  // more than an election timeout
  for (const NodeId voter : voters) cluster_->AdvanceClock(voter, silence);
  // The first pre-votes may do no more than tell the candidate the present term.
  constexpr int kAttempts = 3;
  for (int i = 0; i < kAttempts && cluster_->core(node).role() != Role::kCandidate; ++i) {
    Campaign({"campaign", words[1]});
    for (const NodeId voter : voters) DeliverBetween("PreVoteRequest", node, voter);
    for (const NodeId voter : voters) PersistAll(voter);
    for (const NodeId voter : voters) DeliverBetween("PreVoteResponse", voter, node);
    PersistAll(node);
  }
  for (const NodeId voter : voters) {
    DeliverBetween("VoteRequest", node, voter);
    PersistAll(voter);
    DeliverBetween("VoteResponse", voter, node);
  }
  std::erase_if(cluster_->network(), [&](const Packet& packet) {
    return !packet.delayed && packet.message.from == node &&
           (std::holds_alternative<PreVoteRequest>(packet.message.body) ||
            std::holds_alternative<VoteRequest>(packet.message.body));
  });
  if (cluster_->core(node).role() != Role::kLeader) Fail("this node was not elected");
}

void Scenario::DeliverBetween(const std::string& kind, NodeId from, NodeId to) {
  std::vector<Packet>& network = cluster_->network();
  for (size_t i = 0; i < network.size();) {
    const Message& message = network[i].message;
    const bool chosen = !network[i].delayed && KindOf(message.body) == kind &&
                        message.from == from && message.to == to;
    if (chosen) {
      cluster_->Deliver(i);
    } else {
      ++i;
    }
  }
}

void Scenario::PersistAll(NodeId node) {
  while (cluster_->pending_batches(node) > 0) cluster_->WriteOne(node);
  cluster_->ReportWritten(node);
}

void Scenario::Skip(const Words& words) {
  if (words.size() < 3) return Fail("how long, and whose clock?");
  for (const NodeId node : NodesFrom(words, 2)) {
    cluster_->AdvanceClock(node, DurationOf(words[1]));
  }
}

void Scenario::Time(const Words& words) {
  if (words.size() < 2) return Fail("how long?");
  std::vector<NodeId> firing = cluster_->nodes();
  if (words.size() > 2) {
    firing = words[2] == "none" ? std::vector<NodeId>() : NodesFrom(words, 2);
  }
  cluster_->RunClocks(DurationOf(words[1]), firing, [] {});
}

void Scenario::RunFor(const Words& words) {
  if (words.size() != 2) return Fail("how long?");
  Stabilize();
  cluster_->RunClocks(DurationOf(words[1]), cluster_->nodes(), [this] { Stabilize(); });
}

// ---- messages and disks

std::vector<size_t> Scenario::Select(Words which, bool delayed) {
  bool first = false, last = false;
  std::optional<std::string> kind;
  std::pair<NodeId, NodeId> link;
  for (const std::string& word : which) {
    if (word == "first") {
      first = true;
    } else if (word == "last") {
      last = true;
    } else if (word.find("->") != std::string::npos) {
      link = Link(word);
    } else if (word != "all") {
      kind = word;
    }
  }
  std::vector<size_t> positions;
  for (size_t i = 0; i < cluster_->network().size(); ++i) {
    const Packet& packet = cluster_->network()[i];
    const Message& message = packet.message;
    const bool chosen = packet.delayed == delayed && (!kind || KindOf(message.body) == *kind) &&
                        (link.first == kNoNode || link.first == message.from) &&
                        (link.second == kNoNode || link.second == message.to);
    if (chosen) positions.push_back(i);
  }
  if (which.empty()) Fail("which messages?");
  const bool all = which == Words{"all"};  // be they none
  if (positions.empty() && !all && !failed()) Fail("there are no such messages");
  if (first && !positions.empty()) positions.resize(1);
  if (last && !positions.empty()) positions.erase(positions.begin(), positions.end() - 1);
  return positions;
}

void Scenario::OnPackets(const std::string& verb, Words words) {
  words.erase(words.begin());
  std::vector<size_t> positions = Select(words, verb == "arrive");
  if (failed()) return;
  std::vector<Packet>& network = cluster_->network();
  if (verb == "deliver" || verb == "arrive") {
    // What a delivery sends goes to the end, so that only the deliveries themselves move positions.
    for (size_t i = 0; i < positions.size() && !cluster_->failure(); ++i) {
      Print(absl::StrCat("> ", Describe(network[positions[i] - i].message)));
      cluster_->Deliver(positions[i] - i);
    }
  } else if (verb == "drop") {
    for (size_t i = 0; i < positions.size(); ++i) network.erase(network.begin() + positions[i] - i);
  } else if (verb == "delay") {
    for (const size_t position : positions) network[position].delayed = true;
  } else if (verb == "duplicate") {
    for (const size_t position : positions) {
      Packet copy = network[position];
      copy.delayed = true;
      network.push_back(std::move(copy));
    }
  } else if (verb == "reorder") {
    for (size_t i = 0; i < positions.size() / 2; ++i) {
      std::swap(network[positions[i]], network[positions[positions.size() - 1 - i]]);
    }
  } else {
    Fail(absl::StrCat("there is no command ", verb));
  }
}

void Scenario::Persist(const Words& words) {
  if (words.size() < 2) return Fail("whose disk?");
  const NodeId node = Node(words[1]);
  if (failed()) return;
  size_t count = words.size() > 2 ? Number(words[2]) : cluster_->pending_batches(node);
  for (; count > 0; --count) cluster_->WriteOne(node);
  cluster_->ReportWritten(node);
}

void Scenario::Stabilize() {
  for (int steps = 0; !cluster_->failure() && cluster_->DoOneThing(held_disks_); ++steps) {
    if (steps > kStepsMax) return Fail("this never settles");
  }
}

// ---- looking

void Scenario::PrintState() {
  for (const NodeId node : cluster_->nodes()) {
    if (!cluster_->alive(node)) {
      Print(absl::StrCat(node.value(), " is down"));
      continue;
    }
    const RaftCore& core = cluster_->core(node);
    const std::vector<Entry>& log = cluster_->log(node);
    const LogPosition last =
        log.empty() ? LogPosition{} : LogPosition{log.back().index, log.back().term};
    std::string line = absl::StrCat(node.value(), " is ", RoleName(core.role()));
    if (core.role() == Role::kFollower && core.leader() != kNoNode) {
      absl::StrAppend(&line, " of ", core.leader().value());
    }
    absl::StrAppend(&line, " in term ", core.term().value(), ", log to ", Describe(last),
                    ", commit ", core.commit().value(), ", applied ",
                    cluster_->applied(node).value());
    for (const RaftCore::PeerState& peer : core.peer_states()) {
      absl::StrAppend(&line, ", match of ", peer.node.value(), " ", peer.match.value());
    }
    Print(line);
  }
}

void Scenario::PrintLog(const Words& words) {
  for (const NodeId node : NodesFrom(words, 1)) {
    const TestDisk& disk = cluster_->disk(node);
    std::vector<std::string> entries;
    for (const Entry& entry : cluster_->log(node)) {
      const LogPosition position{entry.index, entry.term};
      const std::string name = NameOf(entry) == Describe(position) ? "" : ":" + NameOf(entry);
      entries.push_back(Describe(position) + name + (disk.Has(position) ? "" : " (not on disk)"));
    }
    Print(absl::StrCat(node.value(), " has ", absl::StrJoin(entries, " ")));
  }
}

void Scenario::PrintMembers(const Words& words) {
  for (const NodeId node : NodesFrom(words, 1)) {
    Print(absl::StrCat(node.value(), " goes by ", Describe(cluster_->core(node).membership())));
  }
}

// ---- words

NodeId Scenario::Node(const std::string& word) {
  const uint64_t id = Number(word);
  if (!failed() && (id == 0 || id > cluster_->nodes().size())) Fail("there is no node " + word);
  return failed() ? NodeId(1) : NodeId(id);
}

std::vector<NodeId> Scenario::NodesFrom(const Words& words, size_t position) {
  std::vector<NodeId> nodes;
  for (; position < words.size(); ++position) nodes.push_back(Node(words[position]));
  if (nodes.empty()) Fail("which nodes?");
  return failed() ? std::vector<NodeId>() : nodes;
}

absl::Duration Scenario::DurationOf(const std::string& word) {
  absl::Duration duration;
  if (!absl::ParseDuration(word, &duration)) Fail(word + " is no duration");
  return duration;
}

uint64_t Scenario::Number(const std::string& word) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(word, &number)) Fail(word + " is no number");
  return number;
}

std::pair<NodeId, NodeId> Scenario::Link(const std::string& word) {
  const std::vector<std::string> ends = absl::StrSplit(word, "->");
  if (ends.size() != 2) {
    Fail(word + " is no link");
    return {};
  }
  return {ends[0].empty() ? kNoNode : Node(ends[0]), ends[1].empty() ? kNoNode : Node(ends[1])};
}

void Scenario::Print(const std::string& line) {
  if (!quiet_) absl::StrAppend(&output_, line, "\n");
}

void Scenario::Fail(const std::string& why) {
  if (!failure_) failure_ = absl::StrCat("line ", line_, ": ", why);
}

}  // namespace pontoon::raft
