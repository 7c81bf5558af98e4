#!/usr/bin/env bash
# The surroundings of the tests: real daemons, private to one run, gone when it ends.
#
#   tests/setup/env.sh install            installs missing Debian packages, no more
#   tests/setup/env.sh run -- COMMAND...  brings up a Docker engine and PostgreSQL, runs COMMAND with the
#                                         variables below, takes all down, returns COMMAND's status
#
#   PORTICO_TEST_DOCKER     address of the engine; it holds the images of images.sh. DOCKER_HOST is the same
#   PORTICO_TEST_POSTGRES   connection string of a cluster whose user may create databases
#   PORTICO_TEST_ENGINE     path of engine.sh, for tests that need an engine to stop and start
#   PORTICO_TEST_CA         the machine's certificate bundle where it has one that images need
#
# The whole run lives in network, mount and process namespaces of its own: nothing in it can meet another
# engine's bridges, ports or packet filter rules, several runs can go side by side, and when the first
# process ends, by whatever cause, the kernel ends all others. The way out to package registries is
# slirp4netns, which needs no change to the machine. It needs root and knows Debian 12 only.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
. "$here/packages.sh"
. "$here/postgres.sh"

usage() { die "usage: env.sh install | env.sh run -- COMMAND..."; }

# Each concurrent run takes a slot: an engine data directory that keeps its images for the next run.
take_slot() {
  local cache
  cache=$(cache_dir)
  for ((slot = 1; slot <= 32; slot++)); do
    exec 9>"$cache/slot-$slot.lock"
    flock -n 9 && return 0
  done
  die "32 runs are going on at once; their locks are $cache/slot-*.lock"
}

# Stage 1, still in the machine's namespaces. The network's helper must stay outside; it waits until this
# process, whose id does not change, has moved into a network namespace of its own.
enter_network() {
  [ -c /dev/net/tun ] || die "/dev/net/tun is missing: the kernel module 'tun' gives the tests their network"
  local home
  home=$(readlink /proc/self/ns/net)
  (
    while [ "$(readlink "/proc/$$/ns/net")" = "$home" ]; do sleep 0.01; done
    exec setpriv --pdeathsig KILL slirp4netns --configure --mtu=65520 --disable-host-loopback "$$" tap0
  ) </dev/null >/dev/null 2>&1 9>&- &
  PORTICO_TEST_ENV=$slot
  export PORTICO_TEST_ENV
  exec unshare --net --mount -- "$here/env.sh" stage-supervise "$@"
}

has_network() { ip -4 -o addr show dev tap0 | grep -q inet; }

# Stage 2: the supervisor. It waits for the command's namespace to end and clears what the kernel does not.
supervise() {
  local run=/run/portico-tests/$PORTICO_TEST_ENV status=0
  rm -rf "$run" && mkdir -p "$run" && chmod 755 /run/portico-tests "$run"
  trap 'clear_away "$run"' EXIT
  ip link set lo up
  wait_for 10 has_network || die "slirp4netns gave no network"
  printf 'nameserver 10.0.2.3\noptions single-request\n' >"$run/resolv.conf"
  mount --bind "$run/resolv.conf" "$(readlink -f /etc/resolv.conf)"
  setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount-proc -- \
    "$here/env.sh" stage-run "$run" "$@" || status=$?
  exit "$status"
}

clear_away() {
  # The engine's control groups are empty once its processes have ended, but groups outlive processes.
  find /sys/fs/cgroup -depth -type d -path "*/portico-tests-$PORTICO_TEST_ENV*" -exec rmdir {} + 2>/dev/null || true
  rm -rf "$1" 2>/dev/null || true
}

# Stage 3: process 1 of the run's own process namespace.
run_command() {
  local run=$1 status=0 started=$SECONDS
  shift
  trap 'exit 143' TERM
  trap 'exit 130' INT
  start_postgres "$run/postgres"
  start_docker "$run"
  export PORTICO_TEST_ENGINE=$here/engine.sh
  [ ! -s "${SSL_CERT_FILE:-}" ] || export PORTICO_TEST_CA=$SSL_CERT_FILE
  say "ready after $((SECONDS - started)) s: Docker at $PORTICO_TEST_DOCKER, PostgreSQL at $run/postgres"
  "$@" 9>&- || status=$?
  "$here/engine.sh" stop "$run/docker" || true
  exit "$status"
}

# An engine whose data was damaged by an earlier abrupt end gets one more chance with empty data.
start_docker() {
  local data
  data=$(cache_dir)/engine-$PORTICO_TEST_ENV
  PORTICO_TEST_DOCKER=$("$here/engine.sh" start "$1/docker" --data "$data") || {
    say "trying once more with empty engine data"
    rm -rf "$data"
    PORTICO_TEST_DOCKER=$("$here/engine.sh" start "$1/docker" --data "$data")
  }
  export PORTICO_TEST_DOCKER DOCKER_HOST=$PORTICO_TEST_DOCKER
  unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
  local left
  left=$(docker ps --all --quiet)
  # shellcheck disable=SC2086
  [ -z "$left" ] || docker rm --force --volumes $left >/dev/null
  docker network prune --force >/dev/null
  "$here/images.sh"
}

action=${1:-}
[ $# -eq 0 ] || shift
case $action in
  install) install_packages ;;
  run)
    [ "${1:-}" = -- ] && shift
    [ $# -gt 0 ] || usage
    # Within a run a further one has all it needs.
    [ -z "${PORTICO_TEST_ENV:-}" ] || exec "$@"
    [ "$(id -u)" = 0 ] || die "the tests' Docker engine and network need root: run this as root (sudo)"
    install_packages
    take_slot
    enter_network "$@"
    ;;
  stage-supervise) supervise "$@" ;;
  stage-run) run_command "$@" ;;
  *) usage ;;
esac
