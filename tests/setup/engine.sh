#!/usr/bin/env bash
# A Docker engine of the tests' own: data, state, socket and pid file in private directories.
#
#   engine.sh start DIR [--data DIR] [--isolated] [DOCKERD-OPTION...]   prints the socket's address
#   engine.sh stop DIR                                                  waits until it has ended
#
# Only inside `env.sh run`: there the engine has a network and process namespace to itself, and cannot
# outlive the run. `--isolated` makes one more engine beside the first (for tests that stop and start it):
# it leaves the packet filter alone, so its containers are reached from the host but reach nothing.
# What DIR and the data directory hold stays; whoever made them removes them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

engine_answers() { docker -H "unix://$1/docker.sock" version; }

# What a further engine needs to keep off the first: a bridge of its own (without one it would delete the
# first one's), its own addresses, no packet filter rules. All follow from its directory's name.
isolated_options() {
  local number bridge
  number=$((16#$(content_key "$1" | cut -c1-2)))
  bridge=$(bridge_of "$1")
  if ! ip link show "$bridge" >/dev/null 2>&1; then
    ip link add "$bridge" type bridge
    ip addr add "172.19.$number.1/24" dev "$bridge"
    ip link set "$bridge" up
  fi
  printf '%s\n' --bridge "$bridge" --iptables=false --default-address-pool \
    "base=172.$((28 + number / 64)).$((number % 64 * 4)).0/22,size=26"
}

bridge_of() { printf 'pt-%s\n' "$(content_key "$1" | cut -c1-8)"; }

start_engine() {
  local dir=$1 data=$1/data isolated=no options=()
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --data) data=$2 && shift 2 ;;
      --isolated) isolated=yes && shift ;;
      *) options+=("$1") && shift ;;
    esac
  done
  if [ "$isolated" = yes ]; then
    mapfile -t -O "${#options[@]}" options < <(isolated_options "$dir")
  else
    options+=(--default-address-pool 'base=172.20.0.0/14,size=26')
  fi
  mkdir -p "$dir" "$data"
  rm -f "$dir/docker.pid"
  # A site's own /etc/docker/daemon.json is not for this engine.
  printf '{}\n' >"$dir/daemon.json"
  # The engine must not take up the caller's terminal, input or lock descriptors.
  setsid dockerd --host "unix://$dir/docker.sock" --data-root "$data" --exec-root "$dir/exec" \
    --pidfile "$dir/docker.pid" --cgroup-parent "/portico-tests-$PORTICO_TEST_ENV" \
    --exec-opt native.cgroupdriver=cgroupfs --config-file "$dir/daemon.json" \
    "${options[@]}" </dev/null >>"$dir/docker.log" 2>&1 9>&- &
  local pid=$!
  while ! engine_answers "$dir" >/dev/null 2>&1; do
    if ! kill -0 "$pid" 2>/dev/null || ((SECONDS > 60)); then
      tail -n 15 "$dir/docker.log" >&2
      die "the Docker engine did not start; its log is $dir/docker.log"
    fi
    sleep 0.05
  done
  printf 'unix://%s/docker.sock\n' "$dir"
}

stop_engine() {
  local dir=$1 pid
  pid=$(cat "$dir/docker.pid" 2>/dev/null) || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  wait_for 30 engine_is_gone "$pid" || die "the Docker engine ($pid) does not end"
}

# A zombie has ended too: who started the engine may not have reaped it yet.
engine_is_gone() {
  local state
  state=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f1) || return 0
  [ -z "$state" ] || [ "$state" = Z ]
}

[ -n "${PORTICO_TEST_ENV:-}" ] || die "engine.sh works inside 'tests/setup/env.sh run' only"
[ $# -ge 2 ] || die "usage: engine.sh start DIR [OPTION...] | engine.sh stop DIR"
action=$1
shift
case $action in
  start) start_engine "$@" ;;
  stop) stop_engine "$@" ;;
  *) die "unknown action '$action': start or stop" ;;
esac
