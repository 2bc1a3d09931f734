# shellcheck shell=bash
# Sourced by the tests of this folder and by .ci/run: single checks, and their count in `passed` and
# `failed`. The caller has set `subject`: what they are about.

: "${subject:?}"
passed=0
failed=0

# check NAME COMMAND...: one case, which passes if the command does.
check() {
  local name=$1
  shift
  printf '== %s: %s\n' "$subject" "$name"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s: %s\n' "$subject" "$name"
  fi
}

# prints TEXT COMMAND...: whether the command succeeds, and prints exactly TEXT and a line's end.
prints() {
  local want=$1 got
  shift
  got=$("$@") || return 1
  [[ $got == "$want" ]] || { printf 'got %q, want %q\n' "$got" "$want" && return 1; }
}

# output_has TEXT COMMAND...: whether the command succeeds, and TEXT is somewhere in what it prints.
output_has() {
  local want=$1 got
  shift
  got=$("$@" 2>&1) || { printf '%s\n' "$got" && return 1; }
  printf '%s\n' "$got"
  [[ $got == *"$want"* ]] || { printf 'want "%s" in it\n' "$want" && return 1; }
}

# refuses TEXT COMMAND...: whether the command fails, and TEXT is somewhere in what it prints.
refuses() {
  local want=$1 got
  shift
  if got=$("$@" 2>&1); then
    printf '%s\nit succeeded\n' "$got"
    return 1
  fi
  printf '%s\n' "$got"
  [[ $got == *"$want"* ]] || { printf 'want "%s" in it\n' "$want" && return 1; }
}

# within SECONDS COMMAND...: whether the command succeeds in that time.
within() {
  local seconds=$1 begin=$SECONDS
  shift
  "$@" && ((SECONDS - begin <= seconds))
}

# eventually SECONDS COMMAND...: whether the command succeeds at some time in the next SECONDS. What
# it prints is shown if it never does.
eventually() {
  local end=$((SECONDS + $1)) got
  shift
  until got=$("$@" 2>&1); do
    if ((SECONDS >= end)); then
      printf '%s\n' "$got"
      return 1
    fi
    sleep 0.5
  done
}

fails() { ! "$@"; }

# The last line of a test, and its exit code.
end_of_checks() {
  printf '%d passed, %d failed\n' "$passed" "$failed"
  ((failed == 0))
}

# Ends a test that cannot be run here, as a failure: it must not pass for one that passed.
cannot_run() {
  printf 'FAILED: %s cannot be tested here: %s\n' "$subject" "$*" >&2
  printf '0 passed, 1 failed\n'
  exit 1
}
