# shellcheck shell=bash
# Sourced by compose_test.sh: a container engine for a test. If none answers, one of our own is
# started, with its data, its socket and its process numbers in a folder, and taken away afterwards
# with all that it left in the network.

engine_pid=''
engine_before=''  # the network as it was before
readonly engine_cgroup=pontoon-test-engine

# Whether there is an engine that answers.
engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# start_private_engine FOLDER: starts one, and sets DOCKER_HOST to it. Fails with the reason on
# stdout.
start_private_engine() {
  local place=$1 deadline=$((SECONDS + 60))
  if ((EUID != 0)); then
    printf 'no container engine answers, and only root may start one'
    return 1
  fi
  local program
  for program in dockerd containerd iptables ip; do
    if ! command -v "$program" >/dev/null; then
      printf 'no container engine answers, and there is no %s to start one' "$program"
      return 1
    fi
  done
  mkdir -p "$place"
  engine_before=$(network_facts)
  export DOCKER_HOST="unix://$place/engine.sock"
  # In a group of its own: a signal to the test's group, which "timeout" sends, must not end it
  # before the test has stopped its containers.
  setsid dockerd --host "$DOCKER_HOST" --data-root "$place/data" --exec-root "$place/exec" \
    --pidfile "$place/engine.pid" --exec-opt native.cgroupdriver=cgroupfs \
    --cgroup-parent "/$engine_cgroup" >"$place/engine.log" 2>&1 &
  engine_pid=$!
  until engine_answers; do
    if ! kill -0 "$engine_pid" 2>/dev/null || ((SECONDS >= deadline)); then
      printf 'no container engine answers, and one of our own does not start: %s' \
        "$(grep -v level=info "$place/engine.log" | tail -n 1)"
      return 1
    fi
    sleep 0.2
  done
}

# What the engine changes for good: whether the machine forwards packets, and which it lets through.
network_facts() {
  printf 'forward %s\n' "$(cat /proc/sys/net/ipv4/ip_forward)"
  iptables -S FORWARD 2>/dev/null | sed -n 's/^-P FORWARD /policy /p'
  ip -o link show docker0 >/dev/null 2>&1 && printf 'bridge\n'
  return 0
}

# stop_private_engine: stops the one that start_private_engine has started, if it has.
stop_private_engine() {
  [[ -n $engine_pid ]] || return 0
  local deadline=$((SECONDS + 30))
  kill "$engine_pid" 2>/dev/null || true
  while kill -0 "$engine_pid" 2>/dev/null; do
    ((SECONDS < deadline)) || kill -9 "$engine_pid" 2>/dev/null || true
    sleep 0.2
  done
  engine_pid=''
  find /sys/fs/cgroup -depth -type d -path "*/$engine_cgroup*" -exec rmdir {} + 2>/dev/null || true
  # Whoever had a bridge of that name had an engine before, whose rules these may be.
  grep -qx bridge <<<"$engine_before" || remove_engine_network
}

remove_engine_network() {
  local table rule chain
  for table in nat filter; do
    while read -r rule; do
      # shellcheck disable=SC2086  # a rule is several words
      iptables -t "$table" -D ${rule#-A } 2>/dev/null || true
    done < <(iptables -t "$table" -S | grep -E '^-A [A-Z]+ .*(DOCKER|docker0)')
    for chain in $(iptables -t "$table" -S | sed -n 's/^-N \(DOCKER.*\)/\1/p'); do
      iptables -t "$table" -F "$chain"
    done
    for chain in $(iptables -t "$table" -S | sed -n 's/^-N \(DOCKER.*\)/\1/p'); do
      iptables -t "$table" -X "$chain"
    done
  done
  ip link delete docker0 2>/dev/null || true
  iptables -P FORWARD "$(sed -n 's/^policy //p' <<<"$engine_before")"
  sed -n 's/^forward //p' <<<"$engine_before" >/proc/sys/net/ipv4/ip_forward
}
