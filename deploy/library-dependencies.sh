#!/usr/bin/env bash
# Prints the Debian packages, with their least versions, of the shared libraries that programs need,
# as a package's Depends has them and "apt-get satisfy" takes them. See --help.
set -euo pipefail

usage() {
  cat <<'END'
Usage: deploy/library-dependencies.sh PROGRAM...

Prints one line, "libc6 (>= 2.34), libgrpc++1.51 (>= 1.51.1), ...": the Debian packages of the
shared libraries that the programs need.
END
}

main() {
  case ${1:-} in
    '') usage >&2 && exit 2 ;;
    -h | --help) usage && exit 0 ;;
  esac
  local programs
  mapfile -t programs < <(realpath -e -- "$@")
  (($# == ${#programs[@]})) || exit 1

  # dpkg-shlibdeps asks a source package who wants to know.
  folder=$(mktemp -d)
  readonly folder
  trap 'rm -rf "$folder"' EXIT
  cd "$folder"
  mkdir debian
  printf 'Source: pontoon\n\nPackage: pontoon\nArchitecture: any\n' >debian/control
  # Warnings tell of libraries that the linker was given without need; they are needed all the same.
  dpkg-shlibdeps --warnings=0 -O "${programs[@]}" | sed -n 's/^shlibs:Depends=//p'
}

main "$@"
