// What stops a server: signals, mostly.

#ifndef PONTOON_CMD_PONTOON_SIGNALS_H_
#define PONTOON_CMD_PONTOON_SIGNALS_H_

namespace pontoon {

// From now on SIGTERM and SIGINT end the process at once, with exit code 1, until KeepStopSignals
// is called: a start may have gigabytes of log to read, and nothing depends on its end. To be
// called before any thread is started: threads inherit what is set here. A broken pipe, or a file
// that may not grow, no longer kills the process either: the write fails, and who writes says so.
void WatchStopSignals();

// From now on the first of the two is kept for AwaitStop.
void KeepStopSignals();

// Stops the server as a signal would; `why` is for the log, and must live for ever. Any thread may
// call it.
void RequestStop(const char* why);

// Waits for SIGTERM, SIGINT or RequestStop and returns the name of the signal, or why. From then on
// another signal ends the process at once, with exit code 1.
const char* AwaitStop();

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_SIGNALS_H_
