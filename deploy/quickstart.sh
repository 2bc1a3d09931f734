#!/usr/bin/env bash
# Builds Pontoon and runs three nodes of it on this machine. See --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
# shellcheck source=deploy/environment.sh
source "$root/deploy/environment.sh"

readonly script=$0
readonly state=$root/.pontoon
readonly server=$root/bazel-bin/cmd/pontoon/pontoon
readonly tool=$root/bazel-bin/cmd/pontoonctl/pontoonctl
readonly nodes=(1 2 3)
readonly client_ports=([1]=2379 [2]=22379 [3]=32379)
readonly peer_ports=([1]=2380 [2]=22380 [3]=32380)
readonly metrics_ports=([1]=2381 [2]=22381 [3]=32381)
readonly endpoints=127.0.0.1:2379,127.0.0.1:22379,127.0.0.1:32379
readonly start_seconds_max=30
readonly stop_seconds_max=30

usage() {
  cat <<'END'
Usage: deploy/quickstart.sh [--status | --stop | --wipe | --help]

Without an option: installs the Debian packages that are missing, builds Pontoon, starts three
nodes on the loopback interface (client ports 2379, 22379, 32379; peer ports one higher, metrics and
the page two higher), and shows their status. A second call finds them running, and says so.

  --status  show which nodes run, and what they say of themselves
  --stop    stop the nodes, and keep their data for the next start
  --wipe    stop the nodes, and remove their data

Data, logs and process numbers lie in the folder .pontoon of the clone.
END
}

say() { printf '%s\n' "$*"; }

fail() {
  printf 'quickstart: %s\n' "$*" >&2
  exit 1
}

data_folder() { printf '%s/node%s' "$state" "$1"; }
log_file() { printf '%s/node%s.log' "$state" "$1"; }
pid_file() { printf '%s/node%s.pid' "$state" "$1"; }

# The process number of a node that runs. A number alone could by now be of another process, so its
# command line must name the node's data folder.
running_pid() {
  local pid
  pid=$(cat "$(pid_file "$1")" 2>/dev/null) || return 1
  tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" |
    grep -qxF -- "--data-dir=$(data_folder "$1")" || return 1
  printf '%s' "$pid"
}

count_running() {
  local count=0 node
  for node in "${nodes[@]}"; do
    running_pid "$node" >/dev/null && count=$((count + 1))
  done
  printf '%s' "$count"
}

# Whether something listens on the loopback port $1.
port_in_use() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Who listens on port $1, as far as this machine tells.
port_owner() {
  local owner=''
  if command -v ss >/dev/null; then
    owner=$(ss -Hltnp "sport = :$1" 2>/dev/null |
      sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 (process \2)/p')
  fi
  printf '%s' "${owner:-another program}"
}

check_ports() {
  local node port
  for node in "${nodes[@]}"; do
    running_pid "$node" >/dev/null && continue
    for port in "${client_ports[node]}" "${peer_ports[node]}" "${metrics_ports[node]}"; do
      if port_in_use "$port"; then
        fail "port $port, which node$node needs, is in use by $(port_owner "$port"). Stop it first."
      fi
    done
  done
}

build() {
  say 'Building Pontoon (minutes the first time, seconds later) ...'
  (cd "$root" && bazel build //cmd/pontoon //cmd/pontoonctl) || fail 'the build failed; see above.'
}

initial_cluster() {
  local node members=()
  for node in "${nodes[@]}"; do
    members+=("node$node=http://127.0.0.1:${peer_ports[node]}")
  done
  (IFS=, && printf '%s' "${members[*]}")
}

start_node() {
  local client=http://127.0.0.1:${client_ports[$1]} peer=http://127.0.0.1:${peer_ports[$1]}
  local metrics=http://127.0.0.1:${metrics_ports[$1]}
  setsid nohup "$server" \
    --name="node$1" \
    --data-dir="$(data_folder "$1")" \
    --listen-client-urls="$client" \
    --advertise-client-urls="$client" \
    --listen-peer-urls="$peer" \
    --initial-advertise-peer-urls="$peer" \
    --listen-metrics-urls="$metrics" \
    --initial-cluster="$(initial_cluster)" \
    --initial-cluster-state=new \
    --initial-cluster-token=pontoon-quickstart \
    >>"$(log_file "$1")" 2>&1 </dev/null &
  printf '%s\n' "$!" >"$(pid_file "$1")"
}

# A node is healthy when it answers a linearizable read: it knows a leader and has caught up.
healthy() { "$tool" --endpoints "127.0.0.1:${client_ports[$1]}" get health >/dev/null 2>&1; }

wait_until_healthy() {
  local node deadline=$((SECONDS + start_seconds_max))
  for node in "${nodes[@]}"; do
    until healthy "$node"; do
      if ! running_pid "$node" >/dev/null; then
        tail -n 5 "$(log_file "$node")" >&2
        fail "node$node stopped right after its start. Its log: $(log_file "$node")"
      fi
      ((SECONDS < deadline)) ||
        fail "node$node does not answer after $start_seconds_max s. Its log: $(log_file "$node")"
      sleep 0.2
    done
  done
}

show_status() { "$tool" --endpoints "$endpoints" status; }

show_next_steps() {
  cat <<END

Try next:
  alias pontoonctl=$tool
  export PONTOONCTL_ENDPOINTS=$endpoints
  pontoonctl put greeting hello
  pontoonctl --endpoints 127.0.0.1:32379 get greeting   # any node answers
  ETCDCTL_API=3 etcdctl get greeting                    # etcd's clients work too
  kill -9 \$(cat $state/node1.pid)
  pontoonctl status                                     # two of three go on
  xdg-open http://127.0.0.1:22381/                      # the same in a browser, live
  $script                                  # brings the third one back

Stop, keeping the data:  $script --stop
Stop, removing it:       $script --wipe
Logs:                    $state/node1.log, node2.log, node3.log
END
}

start() {
  if (($(count_running) == ${#nodes[@]})); then
    say 'Pontoon is already running.'
    show_status
    show_next_steps
    return
  fi
  check_ports
  "$root/deploy/install-packages.sh"
  build
  mkdir -p "$state"
  local node
  for node in "${nodes[@]}"; do
    running_pid "$node" >/dev/null || start_node "$node"
  done
  say 'Waiting until all three nodes are healthy ...'
  wait_until_healthy
  say "Pontoon is running: three nodes, with their data in $state."
  show_status
  show_next_steps
}

# Waits for the end of process $1 until the moment $2 of SECONDS.
wait_for_end() {
  while kill -0 "$1" 2>/dev/null; do
    ((SECONDS < $2)) || return 1
    sleep 0.1
  done
}

stop() {
  local node pid deadline=$((SECONDS + stop_seconds_max)) stopped=0 killed=0
  local -A pids=()
  for node in "${nodes[@]}"; do
    pid=$(running_pid "$node") || continue
    pids[$node]=$pid
    kill -TERM "$pid"
  done
  for node in "${!pids[@]}"; do
    if wait_for_end "${pids[$node]}" "$deadline"; then
      stopped=$((stopped + 1))
    else
      say "node$node did not stop within $stop_seconds_max s and was killed." >&2
      kill -KILL "${pids[$node]}"
      killed=1
    fi
  done
  for node in "${nodes[@]}"; do rm -f "$(pid_file "$node")"; done
  if ((stopped == 0 && killed == 0)); then
    say 'Pontoon was not running.'
  else
    say "Pontoon is stopped ($stopped nodes)."
  fi
  return "$killed"
}

wipe() {
  stop
  rm -rf "$state"
  say "The data are removed ($state)."
}

status() {
  local node pid
  for node in "${nodes[@]}"; do
    if pid=$(running_pid "$node"); then
      say "node$node: runs, process $pid"
    else
      say "node$node: does not run"
    fi
  done
  (($(count_running) > 0)) || return 3
  show_status
}

main() {
  (($# <= 1)) || { usage >&2 && exit 2; }
  case ${1:-start} in
    start) start ;;
    --status) status ;;
    --stop) stop ;;
    --wipe) wipe ;;
    -h | --help) usage ;;
    *) usage >&2 && exit 2 ;;
  esac
}

main "$@"
