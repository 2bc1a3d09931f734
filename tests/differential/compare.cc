#include "tests/differential/compare.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/rpc.pb.h"
#include "tests/differential/known_differences.h"

namespace pontoon::differential {
namespace {

using etcdserverpb::LeaseTimeToLiveResponse;
using google::protobuf::Message;

// Two servers look at their clocks at different moments.
constexpr int64_t kTtlSlackSeconds = 1;

bool Equal(const Message& a, const Message& b) {
  return a.GetDescriptor() == b.GetDescriptor() &&
         google::protobuf::util::MessageDifferencer::Equals(a, b);
}

bool Equal(const Messages& a, const Messages& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return Equal(*x, *y); });
}

bool Equal(const Reply& a, const Reply& b) {
  return a.status.error_code() == b.status.error_code() &&
         a.status.error_message() == b.status.error_message() && Equal(a.messages, b.messages);
}

std::string AnswerText(const Reply& reply) {
  std::string text;
  if (!reply.status.ok()) {
    text = absl::StrCat("  error ", reply.status.error_code(), ": ", reply.status.error_message(),
                        "\n");
  }
  for (const auto& message : reply.messages) {
    absl::StrAppend(&text, "  ", message->GetDescriptor()->name(), " { ", TextOf(*message), " }\n");
  }
  return text.empty() ? "  nothing\n" : text;
}

void EvenOutTtl(Reply* etcd, Reply* pontoon) {
  if (etcd->messages.size() != 1 || pontoon->messages.size() != 1) return;
  auto* a = dynamic_cast<LeaseTimeToLiveResponse*>(etcd->messages[0].get());
  auto* b = dynamic_cast<LeaseTimeToLiveResponse*>(pontoon->messages[0].get());
  if (a == nullptr || b == nullptr || a->ttl() < 0 || b->ttl() < 0) return;
  if (std::max(a->ttl(), b->ttl()) - std::min(a->ttl(), b->ttl()) <= kTtlSlackSeconds) {
    b->set_ttl(a->ttl());
  }
}

class Comparer {
 public:
  Comparer(const Program& program, Trace etcd, Trace pontoon)
      : program_(program), etcd_(std::move(etcd)), pontoon_(std::move(pontoon)) {}

  Comparison Run() {
    const size_t answered = std::min(etcd_.replies.size(), pontoon_.replies.size());
    for (size_t i = 0; i < answered && !over_; ++i) {
      CallCount& count = comparison_.calls[KindOf(program_.calls[i])];
      ++count.calls;
      if (!etcd_.replies[i].status.ok()) ++count.errors;
      CompareReplies(i, absl::StrCat("call ", i, ", ", KindOf(program_.calls[i])),
                     std::move(etcd_.replies[i]), std::move(pontoon_.replies[i]));
    }
    if (!over_) CompareFailures();
    if (!over_) CompareWatchers();
    return std::move(comparison_);
  }

 private:
  void CompareReplies(size_t call, const std::string& where, Reply etcd, Reply pontoon) {
    EvenOutTtl(&etcd, &pontoon);
    if (Equal(etcd, pontoon)) return;
    const std::string etcd_text = AnswerText(etcd);
    const std::string pontoon_text = AnswerText(pontoon);
    std::set<std::string> found;
    for (const KnownDifference& known : KnownDifferences()) {
      if (!known.take_out(program_.calls[call], &etcd, &pontoon)) continue;
      found.insert(known.name);
      if (known.aftermath == Aftermath::kStatesDiffer) over_ = true;
    }
    if (!Equal(etcd, pontoon)) return Differ({where, etcd_text, pontoon_text});
    for (const std::string& name : found) ++comparison_.known[name];
  }

  void CompareFailures() {
    if (etcd_.failure.empty() && pontoon_.failure.empty()) return;
    const auto text = [](const Trace& trace) {
      return absl::StrCat("  ", trace.failure.empty() ? "went on" : trace.failure, "\n");
    };
    Differ({"a server failed", text(etcd_), text(pontoon_)});
  }

  void CompareWatchers() {
    std::set<WatcherName> names;
    for (const auto& [name, watcher] : etcd_.watchers) names.insert(name);
    for (const auto& [name, watcher] : pontoon_.watchers) names.insert(name);
    for (const WatcherName& name : names) {
      if (over_) return;
      WatcherTrace& etcd = etcd_.watchers[name];
      WatcherTrace& pontoon = pontoon_.watchers[name];
      const size_t call = std::max(etcd.created_by, pontoon.created_by);
      CompareReplies(call, absl::StrCat("watcher ", name.second, " of stream ", name.first),
                     Reply{.status = {}, .messages = std::move(etcd.messages)},
                     Reply{.status = {}, .messages = std::move(pontoon.messages)});
    }
  }

  void Differ(Difference difference) {
    comparison_.difference = std::move(difference);
    over_ = true;
  }

  const Program& program_;
  Trace etcd_;
  Trace pontoon_;
  Comparison comparison_;
  bool over_ = false;
};

}  // namespace

std::string Difference::ToString() const {
  return absl::StrCat(where, "\netcd:\n", etcd, "Pontoon:\n", pontoon);
}

Comparison Compare(const Program& program, Trace etcd, Trace pontoon) {
  return Comparer(program, std::move(etcd), std::move(pontoon)).Run();
}

}  // namespace pontoon::differential
