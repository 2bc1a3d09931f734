#!/usr/bin/env bash
# Makes a Debian package of Pontoon. See --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
# shellcheck source=deploy/environment.sh
source "$root/deploy/environment.sh"

readonly files=$root/deploy/debian
binaries=''
output=$root/.package

usage() {
  cat <<'END'
Usage: deploy/package.sh [--output FOLDER] [--binaries FOLDER]

Installs the Debian packages that are missing, builds Pontoon, and makes
pontoon_VERSION_ARCHITECTURE.deb of it, whose path is the last line of the output. "apt-get install" takes that path.

  --output    where the package goes (default: .package in the clone)
  --binaries  a folder with the programs pontoon and pontoonctl, which are then not built
END
}

fail() {
  printf 'package: %s\n' "$*" >&2
  exit 1
}

read_arguments() {
  while (($# > 0)); do
    case $1 in
      -h | --help) usage && exit 0 ;;
      --output | --binaries)
        (($# > 1)) || fail "$1 needs a folder"
        if [[ $1 == --output ]]; then output=$2; else binaries=$2; fi
        shift 2
        ;;
      *) usage >&2 && exit 2 ;;
    esac
  done
}

build() {
  printf 'Building Pontoon (minutes the first time, seconds later) ...\n'
  (cd "$root" && bazel build //cmd/pontoon //cmd/pontoonctl) || fail 'the build failed; see above.'
  mkdir "$folder/bin"
  cp "$root"/bazel-bin/cmd/pontoon/pontoon "$root"/bazel-bin/cmd/pontoonctl/pontoonctl "$folder/bin"
  binaries=$folder/bin
}

version() {
  sed -n 's/.*kPontoonVersion\[\] = "\(.*\)";/\1/p' "$root/kv/service/version.h"
}

# Puts what the package holds below the folder $1.
stage() {
  local tree=$1 program
  for program in pontoon pontoonctl; do
    [[ -f $binaries/$program ]] || fail "there is no $binaries/$program"
    install -D -m 0755 -s "$binaries/$program" "$tree/usr/bin/$program"
  done
  install -D -m 0644 -t "$tree/lib/systemd/system" "$root/deploy/systemd/pontoon.service"
  install -D -m 0644 -t "$tree/etc/pontoon" "$files/pontoon.yaml"
  install -D -m 0644 -t "$tree/usr/share/doc/pontoon" \
    "$files/README.Debian" "$root/docs/operations.md"
}

# Writes what dpkg wants to know of the tree $1.
describe() {
  local tree=$1 dependencies
  dependencies=$("$root/deploy/library-dependencies.sh" "$tree"/usr/bin/*)
  install -d -m 0755 "$tree/DEBIAN"
  install -m 0755 -t "$tree/DEBIAN" "$files/postinst" "$files/prerm" "$files/postrm"
  printf '/etc/pontoon/pontoon.yaml\n' >"$tree/DEBIAN/conffiles"
  (cd "$tree" && find usr lib -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
  cat >"$tree/DEBIAN/control" <<END
Package: pontoon
Version: $(version)
Architecture: $(dpkg --print-architecture)
Maintainer: Pontoon maintainers <pontoon@localhost>
Section: database
Priority: optional
Installed-Size: $(du -sk --exclude=DEBIAN "$tree" | cut -f1)
Depends: $dependencies, adduser
Description: replicated configuration store that speaks etcd's v3 API
 Three or five servers hold one ordered key space, agree on every change
 through Raft, and keep answering while a majority of them is alive.
 .
 This package has the server, which runs as a single member on the loopback
 interface until it is told otherwise, and its tool pontoonctl.
END
  # Not for whoever made the package alone.
  find "$tree" -type d -exec chmod 0755 {} +
  chmod 0644 "$tree"/DEBIAN/{control,conffiles,md5sums}
}

main() {
  read_arguments "$@"
  "$root/deploy/install-packages.sh" --with-package
  folder=$(mktemp -d)
  readonly folder
  trap 'rm -rf "$folder"' EXIT
  [[ -n $binaries ]] || build
  stage "$folder/tree"
  describe "$folder/tree"
  mkdir -p "$output"
  local package
  package=$(realpath "$output")/pontoon_$(version)_$(dpkg --print-architecture).deb
  dpkg-deb --root-owner-group -Zxz --build "$folder/tree" "$package" >/dev/null
  printf '%s\n' "$package"
}

main "$@"
