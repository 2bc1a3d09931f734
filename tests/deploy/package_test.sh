#!/usr/bin/env bash
# Installs the Debian package in a fresh Debian, runs it there, and purges it. See --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly root
# shellcheck source=deploy/environment.sh
source "$root/deploy/environment.sh"
readonly subject=package
# shellcheck source=tests/deploy/checks.sh
source "$root/tests/deploy/checks.sh"

readonly unit=$root/deploy/systemd/pontoon.service
# What "systemd-analyze security" may find open, in tenths; 0 is nothing, 100 everything.
readonly exposure_max=20
readonly namespace=pontoon-package-test
readonly config=/etc/pontoon/pontoon.yaml
readonly data=/var/lib/pontoon
folder=''
debian=''   # the root of the fresh Debian
server=''   # its process number, while it runs
has_network=''

usage() {
  cat <<'END'
Usage: tests/deploy/package_test.sh [ARGUMENT OF deploy/package.sh...]

Makes the package, installs it in a fresh Debian (debootstrap, in a temporary folder), starts the
server there by hand, as there is no systemd, in a network of its own; reads and writes; removes,
reinstalls and purges it. Takes root. The last line is "N passed, N failed". Nothing stays.
END
}

# in_debian COMMAND...: in the fresh Debian. Mounts are gone when it ends.
in_debian() {
  # shellcheck disable=SC2016  # for the inner shell
  DEBIAN_FRONTEND=noninteractive unshare --mount --pid --fork --kill-child -- \
    sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$debian" "$@"
}

# as_pontoon COMMAND...: in the fresh Debian, as the package's user, in the network of the test.
as_pontoon() {
  ip netns exec "$namespace" chroot "$debian" \
    setpriv --reuid=pontoon --regid=pontoon --init-groups --no-new-privs "$@"
}

# ctl ARGUMENT...: pontoonctl, as a user that has nothing to do with the server.
ctl() {
  ip netns exec "$namespace" chroot "$debian" \
    setpriv --reuid=65534 --regid=65534 --clear-groups pontoonctl --timeout 2s "$@"
}

# run_server [ARGUMENT...]: one that should not start; its end is awaited.
run_server() { as_pontoon timeout 20 pontoon "$@"; }

# The processes that are started here become the server without a fork.
start_server() {
  ip netns exec "$namespace" chroot "$debian" \
    setpriv --reuid=pontoon --regid=pontoon --init-groups --no-new-privs \
    pontoon --config-file="$config" >"$folder/server.log" 2>&1 &
  server=$!
  eventually 20 ctl health || { cat "$folder/server.log" && return 1; }
}

stop_server() {
  local exit_code=0
  kill "$server" || true
  wait "$server" || exit_code=$?
  server=''
  ((exit_code == 0)) || { cat "$folder/server.log" && return 1; }
}

apt() { in_debian apt-get -q -y --no-install-recommends "$@"; }

make_package() {
  "$root/deploy/package.sh" --output "$folder" "$@" || return 1
  mv "$folder"/pontoon_*.deb "$folder/pontoon.deb"
}

make_debian() {
  debootstrap --variant=minbase bookworm "$debian" >"$folder/debootstrap.log" 2>&1 ||
    { tail -n 3 "$folder/debootstrap.log" && return 1; }
  # As an administrator forbids services to start: there is nobody to start them.
  printf '#!/bin/sh\nexit 101\n' >"$debian/usr/sbin/policy-rc.d"
  chmod 755 "$debian/usr/sbin/policy-rc.d"
  # The names of the machines that packages come from.
  cp /etc/resolv.conf "$debian/etc/resolv.conf"
  cp "$folder/pontoon.deb" "$debian/root/pontoon.deb"
}

unit_is_valid() {
  # This machine need not have Pontoon.
  sed 's,^ExecStart=/usr/bin/pontoon,ExecStart=/bin/true,' "$unit" >"$folder/pontoon.service"
  prints '' systemd-analyze verify "$folder/pontoon.service" 2>&1
}

unit_is_confined() {
  systemd-analyze security --no-pager --offline=true --threshold="$exposure_max" "$unit" | tail -n 1
}

listens_on_loopback_only() {
  local sockets
  sockets=$(ip netns exec "$namespace" ss -Hltn | awk '{ print $4 }')
  printf '%s\n' "$sockets"
  [[ -n $sockets ]] &&
    ! grep -qvE '^(127\.0\.0\.1|\[::ffff:127\.0\.0\.1\]):(2379|2380|2381)$' <<<"$sockets"
}

# Whether the server takes the file with every line that is commented out in it.
takes_all_defaults() {
  sed -i.orig 's/^#\([a-z-]*: \)/\1/' "$debian$config"
  start_server && stop_server
  local result=$?
  mv "$debian$config.orig" "$debian$config"
  return "$result"
}

unreadable_config_is_refused() {
  chmod 600 "$debian$config"
  refuses "cannot open $config: Permission denied" run_server --config-file="$config"
  local result=$?
  chmod 644 "$debian$config"
  return "$result"
}

unknown_setting_is_refused() {
  printf 'data-dir: %s/data\nelecton-timeout: 5000\n' "$data" >"$debian/etc/wrong.yaml"
  refuses '/etc/wrong.yaml:2: unknown setting "electon-timeout"' \
    run_server --config-file=/etc/wrong.yaml
}

owner_and_mode() { in_debian stat -c '%U:%G %a' "$1"; }

# shellcheck disable=SC2016  # for dpkg-query
installed() { in_debian dpkg-query -W -f '${db:Status-Status}' pontoon; }

is_enabled() { test -L "$debian/etc/systemd/system/multi-user.target.wants/pontoon.service"; }

# What is there of Pontoon, besides the package itself and the logs.
traces() {
  (cd "$debian" && LC_ALL=C find . -xdev -iname '*pontoon*' \
    ! -path './var/log/*' ! -path './root/pontoon.deb')
  in_debian getent passwd pontoon || true
  in_debian getent group pontoon || true
}

check_installation() {
  check 'is made' make_package "$@"
  check 'there is a fresh Debian' make_debian
  apt update >/dev/null 2>&1 || true
  check 'is installed with all that it depends on' apt install /root/pontoon.deb
  check 'is installed' prints installed installed
  check 'has a user, whose data nobody else reads' \
    prints 'pontoon:pontoon 700' owner_and_mode "$data"
  check 'starts with the machine' is_enabled
  check 'the unit is valid' unit_is_valid
  check 'the unit is confined' unit_is_confined
}

check_operation() {
  check 'starts a single node' start_server
  check 'which is on loopback only' listens_on_loopback_only
  check 'takes a put' prints OK ctl put deploy/a 'from the package'
  check 'answers a get' output_has 'from the package' ctl get deploy/a
  check 'leads itself' output_has leader ctl status
  check 'a port in use is explained' \
    refuses 'another process has the port' run_server --config-file="$config" --data-dir=/tmp/other
  check 'stops cleanly' stop_server
  check 'an unreadable configuration is refused' unreadable_config_is_refused
  check 'an unknown setting is named with its line' unknown_setting_is_refused
  check 'the defaults in the configuration are valid' takes_all_defaults
}

check_removal() {
  printf '\nlog-level: warn\n' >>"$debian$config"
  check 'an upgrade keeps what was configured' apt install --reinstall /root/pontoon.deb
  check 'it is still there' grep -qx 'log-level: warn' "$debian$config"
  check 'is removed' apt remove pontoon
  check 'its configuration is kept' grep -qx 'log-level: warn' "$debian$config"
  check 'is purged' output_has 'are kept' apt purge pontoon
  check 'its configuration is gone' fails test -e "$debian/etc/pontoon"
  check 'its data are kept' prints 'pontoon:pontoon 700' owner_and_mode "$data/data"
  check 'is not enabled any more' fails is_enabled
  check 'is installed again' apt install /root/pontoon.deb
  check 'starts again' start_server
  check 'has the data' output_has 'from the package' ctl get deploy/a
  check 'stops' stop_server
  touch "$debian/etc/pontoon/remove-data-on-purge"
  check 'is purged with its data' apt purge pontoon
  check 'has left nothing' prints '' traces
}

# Also after an interruption.
clean_up() {
  [[ -z $server ]] || kill -9 "$server" 2>/dev/null || true
  [[ -z $has_network ]] || ip netns delete "$namespace"
  [[ -z $folder ]] || rm -rf --one-file-system "$folder"
}

main() {
  if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    usage
    exit 0
  fi
  ((EUID == 0)) || cannot_run 'a fresh Debian takes root (debootstrap, chroot)'
  local program
  for program in debootstrap dpkg-deb dpkg-shlibdeps ip ss systemd-analyze; do
    command -v "$program" >/dev/null || cannot_run "there is no $program.
Run this once: $root/deploy/install-packages.sh --with-package --with-containers"
  done
  folder=$(mktemp -d)
  readonly folder
  debian=$folder/debian
  chmod 755 "$folder"  # the server's user goes through it
  trap clean_up EXIT
  trap 'exit 1' INT TERM
  ip netns add "$namespace" || cannot_run 'no network namespace can be made; see above'
  has_network=yes
  ip -n "$namespace" link set lo up
  check_installation "$@"
  check_operation
  check_removal
  end_of_checks
}

main "$@"
