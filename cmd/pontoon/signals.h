// The signals that stop a server.

#ifndef PONTOON_CMD_PONTOON_SIGNALS_H_
#define PONTOON_CMD_PONTOON_SIGNALS_H_

namespace pontoon {

// From now on SIGTERM and SIGINT end the process at once, with exit code 1, until KeepStopSignals
// is called: a start may have gigabytes of log to read, and nothing depends on its end. To be
// called before any thread is started: threads inherit what is set here. A broken pipe, or a file
// that may not grow, no longer kills the process either: the write fails, and who writes says so.
void WatchStopSignals();

// From now on the first of the two is kept for AwaitStopSignal.
void KeepStopSignals();

// Waits for SIGTERM or SIGINT and returns its name. From then on another one ends the process at
// once, with exit code 1.
const char* AwaitStopSignal();

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_SIGNALS_H_
