#!/usr/bin/env bash
# Builds Pontoon and runs its tests. See --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
# shellcheck source=deploy/environment.sh
source "$root/deploy/environment.sh"

# Where sanitizers find most for their time; docs/testing.md says how to run them on all.
readonly asan_targets=(//raft/env/... //raft/node/... //raft/storage/... //raft/transport/...
  //kv/monitor/... //kv/watch/...)
readonly tsan_targets=(//raft/env/... //raft/node/... //raft/transport/... //kv/monitor/...
  //kv/watch/...)

usage() {
  cat <<'END'
Usage: tests/run.sh [BAZEL ARGUMENT...]

Installs the Debian packages that are missing, builds Pontoon, and runs every test of it; then runs
some of them again with AddressSanitizer and ThreadSanitizer. Arguments may name tests, which are
then the only ones to run:

  tests/run.sh //raft/...
  tests/run.sh //tests/integration:zoneinfo_test --test_output=streamed
  tests/run.sh --config=asan //kv/...

The logs of tests that fail are shown. The last line counts single test cases, "N passed, N failed",
and the exit code is 0 only if none failed. Bazel does not run again what has passed since its last
change; --nocache_test_results makes it.
END
}

runs=()  # arguments of count_results.py

# run_tests BAZEL ARGUMENT...: one run of Bazel. It may fail, and others follow.
run_tests() {
  local events="$folder/${#runs[@]}" bazel_exit=0
  : >"$events"  # for a Bazel that does not get as far as writing it
  bazel test --keep_going --build_event_json_file="$events" --test_output=errors "$@" ||
    bazel_exit=$?
  runs+=(--run "$events" "$bazel_exit")
}

main() {
  if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    usage
    exit 0
  fi
  "$root/deploy/install-packages.sh" --with-tests
  cd "$root"
  folder=$(mktemp -d)
  readonly folder
  trap 'rm -rf "$folder"' EXIT

  local targets=()
  [[ " $* " == *' //'* ]] || targets=(//...)
  run_tests "$@" "${targets[@]}"
  # Not if the caller has chosen one of them.
  if ((${#targets[@]} > 0)) && [[ " $* " != *' --config'* ]]; then
    run_tests --config=asan "$@" "${asan_targets[@]}"
    run_tests --config=tsan "$@" "${tsan_targets[@]}"
  fi
  python3 "$root/tests/count_results.py" "${runs[@]}"
}

main "$@"
