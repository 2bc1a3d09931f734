#!/usr/bin/env bash
# Runs the three nodes of deploy/docker-compose.yml in real containers. See --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly root
# shellcheck source=deploy/environment.sh
source "$root/deploy/environment.sh"
readonly subject=compose
# shellcheck source=tests/deploy/checks.sh
source "$root/tests/deploy/checks.sh"
# shellcheck source=tests/deploy/private_engine.sh
source "$root/tests/deploy/private_engine.sh"

readonly compose_file=$root/deploy/docker-compose.yml
readonly project=pontoon-compose-test
readonly base_image=debian:bookworm-slim
readonly nodes=(node1 node2 node3)
readonly -A ports=([node1]=2379 [node2]=22379 [node3]=32379)
readonly -A metrics_ports=([node1]=2381 [node2]=22381 [node3]=32381)
readonly gap_ms_max=2000
# So many writes are waited for before the leader is killed, and again after it, for so long at most.
readonly writes_wanted=50
readonly writes_seconds_max=30
# How long one write may take before the next one is tried.
readonly write_timeout=1500ms

export PONTOON_IMAGE=pontoon:compose-test
export ETCDCTL_API=3
folder=''
made_base=''
project_is_ours=''

usage() {
  cat <<'END'
Usage: tests/deploy/compose_test.sh

Builds the image, starts the three nodes of deploy/docker-compose.yml, reads and writes, kills the
leader's container, starts it again, and takes the containers down and up. The last line is
"N passed, N failed".

The ports 2379, 22379 and 32379, and 2381, 22381 and 32381, must be free. If no container engine
answers (DOCKER_HOST says which), one is started for this test, which takes root. If the image debian:bookworm-slim is not
there, it is made from Debian's packages. An engine that was there keeps what it built; nothing
else stays.
END
}

compose() { docker-compose -p "$project" -f "$compose_file" "$@"; }

# of NODE ARGUMENT...: etcdctl, on this machine, to that node alone.
of() { local node=$1 && shift && etcdctl --endpoints "127.0.0.1:${ports[$node]}" "$@"; }

value_of() { of "$1" get --print-value-only "$2"; }

container() { compose ps -q "$1"; }

health() { docker inspect -f '{{.State.Health.Status}}' "$(container "$1")"; }

is_healthy() { [[ $(health "$1") == healthy ]] || { health "$1" && return 1; }; }

all_are_healthy() {
  local node
  for node in "${nodes[@]}"; do is_healthy "$node" || return 1; done
}

# The node that leads, by its own word.
leader() {
  local node
  for node in "${nodes[@]}"; do
    if of "$node" endpoint status -w fields 2>/dev/null |
      awk '$1 == "\"MemberID\"" { id = $3 } $1 == "\"Leader\"" { lead = $3 }
           END { exit !(id "" == lead "" && id != "") }'; then
      printf '%s\n' "$node"
      return
    fi
  done
  return 1
}

another_leads() {
  local lead
  lead=$(leader) && printf '%s\n' "$lead" && [[ $lead != "$1" ]]
}

now_ms() { date +%s%3N; }

# write_on NODE: writes numbers to the key "counter" until the file `stop` appears, and notes when
# each was acknowledged in the file `acknowledged`.
write_on() {
  local number=0
  while [[ ! -e $folder/stop ]]; do
    number=$((number + 1))
    if of "$1" --command-timeout "$write_timeout" put counter "$number" >/dev/null 2>&1; then
      printf '%s %s\n' "$(now_ms)" "$number" >>"$folder/acknowledged"
    fi
  done
}

# The longest time between two acknowledged writes, in ms, and the end of the last one counts.
longest_gap_ms() {
  awk -v end="$1" 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 }
                   END { if (end - last > gap) gap = end - last; print gap + 0 }' \
    "$folder/acknowledged"
}

# acknowledged_since TIME COUNT: whether so many writes were acknowledged at that time (ms) or later.
acknowledged_since() {
  awk -v since="$1" -v wanted="$2" '$1 >= since { ++count } END { exit !(count >= wanted) }' \
    "$folder/acknowledged"
}

kill_under_load() {
  local killed
  eventually "$writes_seconds_max" acknowledged_since 0 "$writes_wanted" || return 1
  docker kill "$(container "$1")" >/dev/null || return 1
  killed=$(now_ms)
  eventually "$writes_seconds_max" acknowledged_since "$killed" "$writes_wanted"
}

writes_continue() {
  local dead=$1 survivor=$2 writer gap went_on=yes
  rm -f "$folder/stop"
  : >"$folder/acknowledged"
  write_on "$survivor" &
  writer=$!
  kill_under_load "$dead" || went_on=''
  touch "$folder/stop"
  wait "$writer"
  gap=$(longest_gap_ms "$(now_ms)")
  printf '%s writes were acknowledged; the longest time without was %s ms\n' \
    "$(wc -l <"$folder/acknowledged")" "$gap"
  [[ -n $went_on ]] && ((gap <= gap_ms_max))
}

# Whether the node has, in its own state, the last number that was acknowledged.
has_caught_up() {
  prints "$(last_number)" of "$1" get --consistency=s --print-value-only counter
}

last_number() { awk 'END { print $2 }' "$folder/acknowledged"; }

# Its id, as the others list it.
member_id() { of node1 member list | awk -F ', ' -v name="$1" '$3 == name { print $1 }'; }

lose_data() {
  compose stop "$1" && compose rm -f "$1" && docker volume rm "${project}_$1"
}

start_as_new_member() {
  PONTOON_INITIAL_CLUSTER_STATE=existing compose up -d --no-deps "$1"
}

# Whether three members vote, none of them with the id $1.
has_taken_place_of() {
  local members
  members=$(of node1 member list) || return 1
  printf '%s\n' "$members"
  [[ $(grep -c 'started.*false$' <<<"$members") == 3 && $members != *"$1"* ]]
}

exit_code_of() { docker inspect -f '{{.State.ExitCode}}' "$1"; }

stops_cleanly() {
  local id
  id=$(container "$1")
  compose stop -t 30 "$1" && prints 0 exit_code_of "$id" &&
    output_has 'stopped' docker logs --tail 3 "$id"
}

published_locally() {
  local node port
  for node in "${nodes[@]}"; do
    port=$(compose port "$node" 2379) || return 1
    prints "127.0.0.1:${ports[$node]}" printf '%s' "$port" || return 1
    port=$(compose port "$node" 2381) || return 1
    prints "127.0.0.1:${metrics_ports[$node]}" printf '%s' "$port" || return 1
  done
}

# What a node answers to a request for the path $2.
http_get() {
  exec 3<>"/dev/tcp/127.0.0.1/${metrics_ports[$1]}" || return 1
  printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
  cat <&3
  exec 3>&-
}

# The members ask each other on their peer ports: their addresses for clients lead nowhere in there.
page_has_all_members() {
  local status
  status=$(http_get "$1" /api/v1/status) || return 1
  printf '%s\n' "$status"
  [[ $(grep -o '"reachable":true' <<<"$status" | wc -l) == "${#nodes[@]}" ]]
}

all_show_metrics() {
  local node
  for node in "${nodes[@]}"; do
    output_has 'pontoon_raft_has_leader 1' http_get "$node" /metrics >/dev/null || return 1
  done
}

count_containers() {
  docker ps -q --filter "label=com.docker.compose.project=$project" | wc -l
}

# run_image ARGUMENT...: the image alone, without the other nodes.
run_image() { timeout 60 docker run --rm --network none "$@"; }

make_base_image() {
  docker image inspect "$base_image" >/dev/null 2>&1 && return
  command -v debootstrap >/dev/null ||
    cannot_run "the image $base_image is not there, and no debootstrap to make it"
  printf 'Making the image %s ...\n' "$base_image"
  debootstrap --variant=minbase bookworm "$folder/base" >"$folder/debootstrap.log" 2>&1 ||
    cannot_run "the image $base_image cannot be made: $(tail -n 1 "$folder/debootstrap.log")"
  tar -C "$folder/base" --one-file-system -c . | docker import - "$base_image" >/dev/null
  made_base=yes
  rm -rf --one-file-system "$folder/base"
}

check_ports_are_free() {
  local node port
  for node in "${nodes[@]}"; do
    for port in "${ports[$node]}" "${metrics_ports[$node]}"; do
      if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        cannot_run "port $port, which $node needs, is in use. Stop who has it first."
      fi
    done
  done
}

# Also after an interruption.
clean_up() {
  [[ -n $folder ]] || return 0
  touch "$folder/stop"  # for the writer
  if [[ -n $project_is_ours ]]; then
    compose down -v --remove-orphans >"$folder/down.log" 2>&1 || cat "$folder/down.log"
    docker image rm "$PONTOON_IMAGE" >/dev/null 2>&1 || true
  fi
  [[ -z $made_base || -n $engine_pid ]] || docker image rm "$base_image" >/dev/null 2>&1 || true
  stop_private_engine
  rm -rf --one-file-system "$folder"
}

show_node_logs() { compose logs --tail 40 --no-color || true; }

check_start() {
  check 'the file is valid' compose config --quiet
  check 'with monitoring too' compose --profile monitoring config --quiet
  check 'builds the image' compose build
  check 'one node alone starts, whichever it is' compose up -d node3
  check 'the others join it' compose up -d --build
  check 'all are healthy' eventually 60 all_are_healthy
  check 'ports are published to this machine only' published_locally
  check 'runs as a user of its own' prints 10001 compose exec -T node1 id -u
  check 'nothing else runs' prints "${#nodes[@]}" count_containers
  check 'all show their metrics' all_show_metrics
  check 'the page of a node has all members' page_has_all_members node2
  check 'takes a put from this machine' prints OK of node1 put deploy/a 'from the host'
  check 'answers a get on another node' prints 'from the host' value_of node2 deploy/a
  check 'has its own tool' \
    output_has 'from the host' compose exec -T node3 pontoonctl get deploy/a
}

check_death_of_leader() {
  local lead survivor
  lead=$(leader) || lead=${nodes[0]}
  for survivor in "${nodes[@]}"; do [[ $survivor == "$lead" ]] || break; done
  check "writes continue when the leader ($lead) is killed" writes_continue "$lead" "$survivor"
  check 'another node leads' another_leads "$lead"
  check 'the killed container starts again' docker start "$(compose ps -q "$lead")"
  check 'it catches up' eventually 30 has_caught_up "$lead"
  check 'it is healthy again' eventually 60 is_healthy "$lead"
}

# As docs/operations.md says.
check_replacement() {
  local id
  id=$(member_id node3) || id=unknown
  check 'a node loses its data' lose_data node3
  check 'it is removed' of node1 member remove "$id"
  check 'it is added anew' of node1 member add node3 --peer-urls http://node3:2380
  check 'it is started' start_as_new_member node3
  check 'it has taken its place' eventually 60 has_taken_place_of "$id"
  check 'it has the data' eventually 30 has_caught_up node3
}

check_data_are_kept() {
  check 'stops cleanly on SIGTERM' stops_cleanly node2
  check 'goes down' compose down
  check 'comes up again' compose up -d
  check 'all are healthy once more' eventually 60 all_are_healthy
  check 'has kept what was written first' prints 'from the host' value_of node2 deploy/a
  check 'has kept what was written last' prints "$(last_number)" value_of node3 counter
}

check_bad_input() {
  check 'an unknown flag is named' \
    refuses 'unknown flag --data-dirr' run_image "$PONTOON_IMAGE" --data-dirr=x
  check 'an unknown variable is named' \
    refuses 'unknown variable PONTOON_ELECTON_TIMEOUT' \
    run_image -e PONTOON_ELECTON_TIMEOUT=5000 "$PONTOON_IMAGE"
  check 'a config file that is not there is named' \
    refuses 'cannot open /etc/pontoon.yaml' \
    run_image -e PONTOON_CONFIG_FILE=/etc/pontoon.yaml "$PONTOON_IMAGE"
  check 'a bad value is blamed on its variable' \
    refuses 'PONTOON_ELECTION_TIMEOUT: "soon"' \
    run_image -e PONTOON_ELECTION_TIMEOUT=soon "$PONTOON_IMAGE"
  check 'a folder of another user is explained' \
    refuses 'make it belong to the user that runs pontoon (uid 10001)' \
    run_image -e PONTOON_DATA_DIR=/root/data "$PONTOON_IMAGE"
}

main() {
  case ${1:-} in
    '') ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
  local program
  for program in docker docker-compose etcdctl; do
    command -v "$program" >/dev/null || cannot_run "there is no $program.
Run this once as root: $root/deploy/install-packages.sh --with-tests --with-containers"
  done
  check_ports_are_free
  folder=$(mktemp -d)
  readonly folder
  trap clean_up EXIT
  trap 'exit 1' INT TERM
  if ! engine_answers; then
    start_private_engine "$folder/engine" >"$folder/problem" ||
      cannot_run "$(cat "$folder/problem")"
  fi
  if [[ -n $(docker ps -aq --filter "label=com.docker.compose.project=$project") ]]; then
    cannot_run "containers of an earlier run are there: docker-compose -p $project down -v"
  fi
  project_is_ours=yes
  make_base_image
  check_start
  check_death_of_leader
  check_replacement
  check_data_are_kept
  ((failed == 0)) || show_node_logs
  check_bad_input
  check 'goes down with its volumes' compose down -v
  check 'leaves no volume' prints '' docker volume ls -q --filter "name=$project"
  end_of_checks
}

main "$@"
