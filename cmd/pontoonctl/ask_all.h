// AskAll: asks several servers at the same time.

#ifndef PONTOON_CMD_PONTOONCTL_ASK_ALL_H_
#define PONTOON_CMD_PONTOONCTL_ASK_ALL_H_

#include <future>
#include <type_traits>
#include <vector>

namespace pontoon::ctl {

// What `ask` gives for each of `items`, in their order. It is called for all of them at once, each
// on a thread of its own.
template <typename Item, typename Ask>
std::vector<std::invoke_result_t<Ask, const Item&>> AskAll(const std::vector<Item>& items,
                                                           const Ask& ask) {
  std::vector<std::future<std::invoke_result_t<Ask, const Item&>>> pending;
  for (const Item& item : items) {
    pending.push_back(std::async(std::launch::async, [&ask, &item] { return ask(item); }));
  }
  std::vector<std::invoke_result_t<Ask, const Item&>> answers;
  for (auto& answer : pending) answers.push_back(answer.get());
  return answers;
}

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_ASK_ALL_H_
