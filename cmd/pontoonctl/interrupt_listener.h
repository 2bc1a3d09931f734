// InterruptListener: tells a command that goes on and on that the user wants it to end.

#ifndef PONTOON_CMD_PONTOONCTL_INTERRUPT_LISTENER_H_
#define PONTOON_CMD_PONTOONCTL_INTERRUPT_LISTENER_H_

#include <functional>
#include <thread>

namespace pontoon::ctl {

// While it lives, the first SIGINT and the first SIGTERM do not end the process but are told to a
// function, on a thread of its own. The second one of a kind does what it always does: a user whose
// command does not end in peace can have it end at once.
//
// Signals are the process's: there may be one listener at a time.
class InterruptListener {
 public:
  struct Interrupt {
    int signal;
    // The terminal sent it, to all processes of the foreground at once.
    bool from_terminal;
  };

  explicit InterruptListener(std::function<void(const Interrupt&)> on_interrupt);

  // Afterwards the function is not called any more.
  ~InterruptListener();

  InterruptListener(const InterruptListener&) = delete;
  InterruptListener& operator=(const InterruptListener&) = delete;

 private:
  void Listen(const std::function<void(const Interrupt&)>& on_interrupt) const;

  int read_end_ = -1;
  std::thread thread_;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_INTERRUPT_LISTENER_H_
