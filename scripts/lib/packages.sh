# What the project needs from the distribution, and how a script gets what is missing of it. Sourced, never run.
# shellcheck shell=bash disable=SC2034

build_packages=(cmake ninja-build g++ libpq-dev libtomlplusplus-dev libcli11-dev libfmt-dev nlohmann-json3-dev
  libkainjow-mustache-dev libssl-dev libpg-query-dev catch2)
test_packages=(make)
bench_packages=(libbenchmark-dev)
verify_packages=(clang clang-format clang-tidy libclang-rt-dev git shellcheck gcc spin)

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Any server will do, wherever it comes from: a second one is never added to it.
has_server() {
  command -v initdb >/dev/null && return
  local found
  for found in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb; do
    [ -x "$found" ] && return
  done
  return 1
}

# Runs a command as root: as we are, or through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

can_be_root() { [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }; }

# The package of the server makes a cluster named main and starts it, on the first installation only. Nobody asked for
# that one: a setting that lasts as long as the installation keeps it from being made.
install_packages() (
  if ! has_server; then
    settings=/etc/postgresql-common/createcluster.d/quern-install.conf
    trap 'as_root rm -f "$settings"' EXIT
    as_root mkdir -p "${settings%/*}"
    echo 'create_main_cluster = false' | as_root tee "$settings" >/dev/null
  fi
  as_root apt-get update -q || say "the package lists could not be refreshed; trying with those that are here"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    -o DPkg::Lock::Timeout=120 "$@"
)

# need_packages <package>...: installs those that are missing; ends the script with what to do where it cannot.
need_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "this is not a Debian: nothing is installed; needed are the equivalents of: $* postgresql"
    return
  fi
  local missing=() each
  for each in "$@"; do is_installed "$each" || missing+=("$each"); done
  has_server || missing+=(postgresql)
  [ ${#missing[@]} -gt 0 ] || return 0
  local by_hand="apt-get install -y --no-install-recommends ${missing[*]}"
  can_be_root || die "packages are missing and only root may install them. Please run as root:
  $by_hand
and then this script again."
  say "installing what is missing: ${missing[*]}"
  install_packages "${missing[@]}" || die "apt could not install what is missing. Please look at its words above; by hand it is:
  $by_hand"
}
