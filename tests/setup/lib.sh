# Shared by the scripts of this folder: messages, the cache, content keys, waiting with a deadline.
# Sourced, never run. Messages go to standard error, so that standard output belongs to the tests.
# shellcheck shell=bash

say() { printf 'set-up: %s\n' "$*" >&2; }

die() {
  printf 'set-up: %s\n' "$*" >&2
  exit 1
}

# Where downloads and engine data outlive a run. Everything in it may be deleted at any time.
cache_dir() {
  local dir="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/portico-tests"
  mkdir -p "$dir"
  printf '%s\n' "$dir"
}

# content_key TEXT...: a short name for what an artefact is made from; another recipe, another key.
content_key() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }

# wait_for SECONDS COMMAND...: true as soon as COMMAND succeeds, false when the time is up.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}
