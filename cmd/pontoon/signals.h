// The signals that stop a server.

#ifndef PONTOON_CMD_PONTOON_SIGNALS_H_
#define PONTOON_CMD_PONTOON_SIGNALS_H_

namespace pontoon {

// Keeps SIGTERM and SIGINT for AwaitStopSignal. To be called before any thread is started: threads
// inherit it. A broken pipe, or a file that may not grow, no longer kills the process either: the
// write fails, and who writes says so.
void HoldStopSignals();

// Waits for SIGTERM or SIGINT and returns its name. From then on another one ends the process at
// once, with exit code 1.
const char* AwaitStopSignal();

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_SIGNALS_H_
