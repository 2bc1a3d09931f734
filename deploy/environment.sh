# shellcheck shell=bash
# Sourced by the scripts: gives the variables that Bazel and etcdctl count on a value where the
# machine (a CI job, a container) leaves them unset.

if [[ -z ${HOME:-} ]]; then
  HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
  export HOME="${HOME:-/tmp}"
fi
export USER="${USER:-$(id -un)}"
export LANG="${LANG:-C.UTF-8}"
