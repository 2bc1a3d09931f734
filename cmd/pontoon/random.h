// Random numbers from the operating system.

#ifndef PONTOON_CMD_PONTOON_RANDOM_H_
#define PONTOON_CMD_PONTOON_RANDOM_H_

#include <cstdint>

namespace pontoon {

// 64 random bits; another number in each life of a process, and on each machine.
uint64_t RandomBits();

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_RANDOM_H_
