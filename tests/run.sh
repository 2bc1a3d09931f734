#!/usr/bin/env bash
# Builds Pontoon and runs its tests. See --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
# shellcheck source=deploy/environment.sh
source "$root/deploy/environment.sh"

usage() {
  cat <<'END'
Usage: tests/run.sh [BAZEL ARGUMENT...]

Installs the Debian packages that are missing, builds Pontoon, and runs every test of it, or only
those that the arguments name, for instance:

  tests/run.sh //raft/...
  tests/run.sh //tests/integration:zoneinfo_test --test_output=streamed
  tests/run.sh --config=asan //kv/...

The logs of tests that fail are shown. The last line counts single test cases, "N passed, N failed",
and the exit code is 0 only if none failed. Bazel does not run again what has passed since its last
change; --nocache_test_results makes it.
END
}

main() {
  if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    usage
    exit 0
  fi
  "$root/deploy/install-packages.sh" --with-tests
  cd "$root"
  events=$(mktemp)
  readonly events
  trap 'rm -f "$events"' EXIT

  local targets=()
  [[ " $* " == *' //'* ]] || targets=(//...)
  local bazel_exit=0
  bazel test --keep_going --build_event_json_file="$events" --test_output=errors \
    "$@" "${targets[@]}" || bazel_exit=$?
  python3 "$root/tests/count_results.py" --bazel-exit="$bazel_exit" "$events"
}

main "$@"
