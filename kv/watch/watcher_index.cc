#include "kv/watch/watcher_index.h"

#include <cstdint>
#include <string>
#include <utility>

#include "raft/base/check.h"
#include "raft/base/prng.h"

namespace pontoon::kv {
namespace {

constexpr std::string_view kOpenEnd("\0", 1);

void PushFront(Watcher* watcher, Watcher** head) {
  watcher->previous_of_range = nullptr;
  watcher->next_of_range = *head;
  if (*head) (*head)->previous_of_range = watcher;
  *head = watcher;
}

void Unlink(Watcher* watcher, Watcher** head) {
  if (watcher->previous_of_range) {
    watcher->previous_of_range->next_of_range = watcher->next_of_range;
  } else {
    CHECK(*head == watcher) << "a watcher in another index";
    *head = watcher->next_of_range;
  }
  if (watcher->next_of_range) {
    watcher->next_of_range->previous_of_range = watcher->previous_of_range;
  }
  watcher->previous_of_range = watcher->next_of_range = nullptr;
}

void Visit(Watcher* head, absl::FunctionRef<void(Watcher*)> visit) {
  for (Watcher* watcher = head; watcher; watcher = watcher->next_of_range) visit(watcher);
}

// Ends of ranges, as in a RangeRequest: no end comes after every other.
bool EndsBefore(std::string_view a, std::string_view b) {
  if (a == kOpenEnd) return false;
  return b == kOpenEnd || a < b;
}
bool IsBeforeEnd(std::string_view key, std::string_view end) {
  return end == kOpenEnd || key < end;
}

}  // namespace

class WatcherIndex::RangeTree {
 public:
  void Add(Watcher* watcher) { Add(watcher, &root_); }
  void Remove(Watcher* watcher) { Remove(watcher, &root_); }
  void ForEachOf(std::string_view key, absl::FunctionRef<void(Watcher*)> visit) const {
    ForEachOf(key, root_.get(), visit);
  }

 private:
  struct Node {
    std::string begin, end;
    std::string farthest_end;  // of the node and all below it
    uint64_t priority = 0;     // not less than those below
    Watcher* watchers = nullptr;
    std::unique_ptr<Node> left, right;
  };
  using Link = std::unique_ptr<Node>;

  // < 0, 0 or > 0 as the watcher's range comes before that of the node, is the same, or after.
  static int Compare(const Watcher& watcher, const Node& node) {
    const int begins = watcher.key.compare(node.begin);
    if (begins != 0) return begins;
    if (watcher.range_end == node.end) return 0;
    return EndsBefore(watcher.range_end, node.end) ? -1 : 1;
  }

  static void Update(Node* node) {
    std::string_view farthest = node->end;
    for (const Node* below : {node->left.get(), node->right.get()}) {
      if (below && EndsBefore(farthest, below->farthest_end)) farthest = below->farthest_end;
    }
    if (node->farthest_end != farthest) node->farthest_end = std::string(farthest);
  }

  static void RotateRight(Link* link) {
    Link raised = std::move((*link)->left);
    (*link)->left = std::move(raised->right);
    Update(link->get());
    raised->right = std::move(*link);
    *link = std::move(raised);
  }
  static void RotateLeft(Link* link) {
    Link raised = std::move((*link)->right);
    (*link)->right = std::move(raised->left);
    Update(link->get());
    raised->left = std::move(*link);
    *link = std::move(raised);
  }

  void Add(Watcher* watcher, Link* link) {
    if (!*link) {
      *link = std::make_unique<Node>();
      (*link)->begin = watcher->key;
      (*link)->end = watcher->range_end;
      (*link)->priority = priorities_.Next();
    }
    Node* const node = link->get();
    const int order = Compare(*watcher, *node);
    if (order == 0) {
      PushFront(watcher, &node->watchers);
    } else if (order < 0) {
      Add(watcher, &node->left);
      if (node->left->priority > node->priority) RotateRight(link);
    } else {
      Add(watcher, &node->right);
      if (node->right->priority > node->priority) RotateLeft(link);
    }
    Update(link->get());
  }

  void Remove(Watcher* watcher, Link* link) {
    CHECK(*link != nullptr) << "a watcher that is not in the index";
    Node* const node = link->get();
    const int order = Compare(*watcher, *node);
    if (order == 0) {
      Unlink(watcher, &node->watchers);
      if (!node->watchers) return RemoveNode(link);
    } else {
      Remove(watcher, order < 0 ? &node->left : &node->right);
    }
    Update(link->get());
  }

  // Takes the node down to where nothing is below it.
  static void RemoveNode(Link* link) {
    Node* const node = link->get();
    if (!node->left || !node->right) {
      Link below = std::move(node->left ? node->left : node->right);
      *link = std::move(below);
      return;
    }
    if (node->left->priority > node->right->priority) {
      RotateRight(link);
      RemoveNode(&(*link)->right);
    } else {
      RotateLeft(link);
      RemoveNode(&(*link)->left);
    }
    Update(link->get());
  }

  static void ForEachOf(std::string_view key, const Node* node,
                        absl::FunctionRef<void(Watcher*)> visit) {
    if (!node || !IsBeforeEnd(key, node->farthest_end)) return;
    ForEachOf(key, node->left.get(), visit);
    if (key < node->begin) return;
    if (IsBeforeEnd(key, node->end)) Visit(node->watchers, visit);
    ForEachOf(key, node->right.get(), visit);
  }

  Prng priorities_{1};
  Link root_;
};

WatcherIndex::WatcherIndex() : ranges_(std::make_unique<RangeTree>()) {}

WatcherIndex::~WatcherIndex() = default;

void WatcherIndex::Add(Watcher* watcher) {
  if (!watcher->range_end.empty()) return ranges_->Add(watcher);
  Watcher* head = nullptr;
  if (const auto found = single_.find(watcher->key); found != single_.end()) {
    head = found->second;
    single_.erase(found);  // its key is that of the head
  }
  PushFront(watcher, &head);
  single_.emplace(head->key, head);
}

void WatcherIndex::Remove(Watcher* watcher) {
  if (!watcher->range_end.empty()) return ranges_->Remove(watcher);
  const auto found = single_.find(watcher->key);
  CHECK(found != single_.end()) << "a watcher that is not in the index";
  Watcher* head = found->second;
  if (head != watcher) return Unlink(watcher, &head);
  single_.erase(found);
  Unlink(watcher, &head);
  if (head) single_.emplace(head->key, head);
}

void WatcherIndex::ForEachOf(std::string_view key, absl::FunctionRef<void(Watcher*)> visit) const {
  if (const auto found = single_.find(key); found != single_.end()) Visit(found->second, visit);
  ranges_->ForEachOf(key, visit);
}

}  // namespace pontoon::kv
