// Readers: users of a simulated cluster who say how fresh a read is to be.

#ifndef PONTOON_TESTS_SIM_READERS_H_
#define PONTOON_TESTS_SIM_READERS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "kv/read/read_gate.h"
#include "kv/read/read_options.h"
#include "raft/base/instant.h"
#include "tests/sim/clients.h"
#include "tests/sim/dice.h"
#include "tests/sim/ledger.h"
#include "tests/sim/machine.h"
#include "tests/sim/proposals.h"

namespace pontoon::sim {

// Each is a session that writes, and reads with all consistencies and bounds at whatever node, and
// asks for the revision that it saw last, or for one that is yet to come. What a node claims of its
// state is held against the ledger: everything is there that had been applied anywhere by the time
// that it names on its own clock, that time is within the bound, and the revision is reached. What
// it shows is what the log made up to some place, and nothing else; where the session asked for
// what it saw, that place is behind each of its writes, and of no earlier revision than its earlier
// reads. Only where the nodes have the real store.
//
// A failed check ends the process.
//
// Thread safety: none.
class Readers {
 public:
  Readers(const World& world, Machines* machines, const Ledger* ledger);

  void Start();
  // They begin nothing more. Reads that wait need not be answered.
  void Stop() { stopped_ = true; }
  // Writes that are not answered yet.
  size_t open() const { return proposals_.open(); }

 private:
  struct Session {
    int64_t seen = 0;  // the newest revision
    LogIndex written;  // where its last write that was answered stands in the log; 0: none was
  };

  void ReadLater(size_t session);
  void Read(size_t session);
  void Write(size_t session, Machine* machine);
  kv::ReadOptions Draw(const Session& session);
  // A read by a session that had `written` so far when it began.
  void OnPassed(size_t session, LogIndex written, const Machine& machine,
                const kv::ReadOptions& options, Instant begun, const kv::ReadGate::Passed& passed);
  // The session saw the state after `place`.
  void Saw(size_t session, LogIndex place);

  const World world_;
  const Ledger* const ledger_;
  Proposals proposals_;
  Dice dice_;
  std::vector<Session> sessions_;
  bool stopped_ = false;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_READERS_H_
