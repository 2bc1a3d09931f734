// Server: everything that a pontoon process runs, wired together.

#ifndef PONTOON_CMD_PONTOON_SERVER_H_
#define PONTOON_CMD_PONTOON_SERVER_H_

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/data_folder.h"
#include "cmd/pontoon/frontend.h"
#include "cmd/pontoon/monitor_host.h"
#include "cmd/pontoon/replica_host.h"
#include "kv/lease/lessor_service.h"
#include "kv/service/survey_service.h"

namespace pontoon {

// Thread safety: one thread.
class Server {
 public:
  // Starts a server, which serves until it is stopped. An error is one line for the operator.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Config& config);

  // Stop must have been called.
  ~Server();

  // Stops without leaving anybody in the lurch: the leadership is handed over first, while clients
  // are still served; then the calls under way are answered. Takes seconds at most.
  void Stop();

 private:
  Server(const Config& config, DataFolder folder)
      : election_timeout_(config.election_timeout), folder_(std::move(folder)) {}

  const absl::Duration election_timeout_;
  const DataFolder folder_;
  kv::SurveyService survey_;
  kv::LessorService lessor_service_;
  std::unique_ptr<ReplicaHost> replica_;
  std::unique_ptr<MonitorHost> monitor_;
  std::unique_ptr<Frontend> frontend_;
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_SERVER_H_
