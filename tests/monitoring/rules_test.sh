#!/usr/bin/env bash
# Checks the configuration, the rules and the alerts of deploy/prometheus with Prometheus' own tool.
# The last line is "N passed, N failed".
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly root
readonly subject=rules
# shellcheck source=tests/deploy/checks.sh
source "$root/tests/deploy/checks.sh"

# are_all_tested alert|record TEXT FILE: whether every rule of that kind in the file has a test that
# holds TEXT, in which \1 is the rule's name.
are_all_tested() {
  local name missing=0
  while read -r name; do
    grep -qF -- "$name" "$root"/deploy/prometheus/tests/*.yml && continue
    printf 'no test has %s\n' "$name"
    missing=1
  done < <(sed -nE "s/^ *- $1: *([^ ]+)\$/$2/p" "$root/deploy/prometheus/$3")
  return "$missing"
}

# Whether the targets are the nodes of the compose file, by the port that it has them listen on.
targets_are_the_nodes() {
  local compose=$root/deploy/docker-compose.yml port
  port=$(sed -n 's/^ *PONTOON_LISTEN_METRICS_URLS:.*:\([0-9]*\)$/\1/p' "$compose")
  diff <(sed -n "s/^ *hostname: \(.*\)/\1:$port/p" "$compose") \
    <(sed -n 's/^    - //p' targets/compose.yml)
}

command -v promtool >/dev/null || cannot_run "there is no promtool.
Run this once as root: $root/deploy/install-packages.sh --with-tests"

cd "$root/deploy/prometheus"
check 'the configuration is valid' promtool check config prometheus.yml
check 'its targets are the nodes of the compose file' targets_are_the_nodes
for file in recording_rules.yml alerts.yml; do
  check "$file is valid" promtool check rules --lint=all --lint-fatal "$file"
done
for file in tests/*.yml; do
  check "$file" promtool test rules "$file"
done
check 'every alert is seen to fire' \
  are_all_tested alert 'alertname="\1", alertstate="firing"' alerts.yml
check 'every recording rule is looked at' are_all_tested record '\1' recording_rules.yml
end_of_checks
