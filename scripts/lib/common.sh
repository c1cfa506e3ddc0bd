# What the scripts share: where the project is, how they speak, how they build. Sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s\n' "== $*"; }

die() {
  printf '%s\n' "$0: $*" >&2
  exit 1
}

cores() { nproc 2>/dev/null || echo 2; }

# build <preset> [-D<option>...] [target...]: configures and builds build/<preset>; quiet unless it fails.
build() {
  local preset=$1 options=()
  shift
  while [[ ${1-} == -D* ]]; do
    options+=("$1")
    shift
  done
  local log="$root/build/$preset.log"
  mkdir -p "$root/build"
  say "configuring build/$preset"
  (cd "$root" && cmake --preset "$preset" "${options[@]}") >"$log" 2>&1 || { cat "$log" >&2; die "configuring failed"; }
  say "building build/$preset"
  cmake --build "$root/build/$preset" --parallel "$(cores)" ${1:+--target "$@"} || die "building failed"
}

# run_tests <preset> [options of ctest]: the output ends with the summary of ctest.
run_tests() {
  local here="$root/build/$1"
  shift
  say "testing ${here#"$root"/}"
  # ctest stops the tests' server itself, unless it is interrupted.
  # shellcheck disable=SC2064
  trap "$(printf '%q stop %q' "$here/tests/test_server" "$here/tests/server")" EXIT
  ctest --test-dir "$here" --output-on-failure --no-tests=error --parallel "$(cores)" "$@"
}
