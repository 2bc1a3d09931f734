#!/usr/bin/env bash
# Installs the Debian packages that Pontoon needs, if any is missing. See --help.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly list=$here/packages.txt
readonly policy=/usr/sbin/policy-rc.d

usage() {
  cat <<'END'
Usage: deploy/install-packages.sh [--with-tests] [--with-browser] [--with-clients]
                                  [--with-package] [--with-containers]

Installs what deploy/packages.txt names and this Debian 12 machine lacks: what it takes to build
and run Pontoon, and besides that

  --with-tests       what its tests need
  --with-browser     what the tests of the page need
  --with-clients     what the test with a Node.js client needs; any Node.js 18 with npm does
  --with-package     what it takes to make a Debian package of it
  --with-containers  what the tests in containers and in a fresh Debian need

If nothing is missing it does nothing, and needs no rights. Otherwise it must run as root.
END
}

fail() {
  printf 'install-packages: %s\n' "$*" >&2
  exit 1
}

# The packages of the wanted groups ($1: "build", "build|test", ...) that are not installed.
missing_packages() {
  local package
  while read -r package; do
    if ! dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed; then
      printf '%s\n' "$package"
    fi
  done < <(awk -v groups="^($1)\$" '$1 ~ groups { print $2 }' "$list")
}

# Debian starts a server as soon as its package is installed; the tests' etcd would then sit on the
# ports that Pontoon is about to use. policy-rc.d is how an administrator forbids that.
forbid_service_starts() {
  [[ -e $policy ]] && return
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
}

main() {
  local groups='build' flag
  for flag in "$@"; do
    case $flag in
      --with-tests) groups+='|test' ;;
      --with-browser) groups+='|browser' ;;
      --with-clients) groups+='|clients' ;;
      --with-package) groups+='|package' ;;
      --with-containers) groups+='|containers' ;;
      -h | --help) usage && exit 0 ;;
      *) usage >&2 && exit 2 ;;
    esac
  done
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    fail "this is made for Debian 12, and here is no apt-get. The packages are listed in $list"
  fi

  local missing
  mapfile -t missing < <(missing_packages "$groups")
  ((${#missing[@]} == 0)) && exit 0
  if ((EUID != 0)); then
    fail "these packages are missing: ${missing[*]}
Run this once as root:
  sudo $here/install-packages.sh $*"
  fi

  printf 'Installing %d Debian packages: %s\n' "${#missing[@]}" "${missing[*]}"
  forbid_service_starts
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q || fail 'the package lists could not be fetched; see above.'
  apt-get install -q -y --no-install-recommends "${missing[@]}" ||
    fail 'the packages could not be installed; see above.'
}

main "$@"
