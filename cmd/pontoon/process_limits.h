// What a server needs of its process.

#ifndef PONTOON_CMD_PONTOON_PROCESS_LIMITS_H_
#define PONTOON_CMD_PONTOON_PROCESS_LIMITS_H_

namespace pontoon {

// Allows as many open files as the system lets the process have: the usual 1024 would be used up by
// the store's files alone, and clients be refused.
void RaiseFileLimit();

// Keeps new files from everybody but their owner, LevelDB's too.
void KeepFilesPrivate();

// Keeps the memory of freed requests from piling up. To be called before threads are started.
void BoundMemoryArenas();

// Debian's Abseil looks for deadlocks whenever a mutex is locked, which costs a server some percent
// of its time. The tests run with it.
void StopDeadlockDetection();

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_PROCESS_LIMITS_H_
