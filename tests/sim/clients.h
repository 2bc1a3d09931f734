// Clients: the users of a simulated cluster.

#ifndef PONTOON_TESTS_SIM_CLIENTS_H_
#define PONTOON_TESTS_SIM_CLIENTS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "raft/node/replica.h"
#include "tests/sim/dice.h"
#include "tests/sim/history.h"
#include "tests/sim/ledger.h"
#include "tests/sim/machine.h"
#include "tests/sim/options.h"

namespace pontoon::sim {

using Machines = std::vector<std::unique_ptr<Machine>>;

// Whether clients can connect to the machine: if not, nothing is begun there.
bool Serves(const Machine& machine, const Ledger& ledger);

// Each client does one operation after another, at a node that it stays with until that fails it.
// What comes of a write is the bookkeeper's to check. A read is held against the ledger at once: it
// shows the state after the index at which it was served, and that index is not before anything
// that had been applied anywhere when it began.
//
// Thread safety: none.
class Clients {
 public:
  Clients(const World& world, Machines* machines, History* history, Ledger* ledger);

  void Start();
  // They begin nothing more.
  void Stop() { stopped_ = true; }
  // Operations that are not answered yet.
  size_t open() const { return open_; }

  // They begin no writes while `only_reads`.
  void OnlyRead(bool only_reads) { only_reads_ = only_reads; }
  // One read at `machine`, which must be up; `then` is called when it has been answered.
  void Read(Machine* machine, raft::ReadMode mode, absl::Duration timeout,
            std::function<void()> then);
  // One write at `machine`; `done` hears what was told of it.
  void Probe(Machine* machine, absl::Duration timeout, std::function<void(Told)> done);

 private:
  struct Client {
    size_t machine = 0;
  };

  void Think(size_t client);
  void Act(size_t client);
  Operation Draw();
  void Write(Machine* machine, const Operation& operation, absl::Duration timeout,
             std::function<void()> then);
  void Begin(Machine* machine, const Operation& read, raft::ReadMode mode, absl::Duration timeout,
             std::function<void()> then);
  void OnReadable(Machine* machine, OperationId id, const absl::Status& status);

  const ClientOptions options_;
  const World world_;
  Machines* const machines_;
  History* const history_;
  Ledger* const ledger_;
  Dice dice_;
  std::vector<Client> clients_;
  size_t open_ = 0;
  bool stopped_ = false;
  bool only_reads_ = false;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_CLIENTS_H_
