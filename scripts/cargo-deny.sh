#!/bin/sh
# Runs cargo-deny, which is built once per machine when it is not there: cargo-deny.sh ARGUMENT...
# A debug build of it takes a third of the time of a release build and checks this tree as fast.
set -eu
version=0.20.2
tools=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/portico-tools/cargo-deny-$version

if command -v cargo-deny >/dev/null; then
  exec cargo-deny "$@"
fi
if [ ! -x "$tools/bin/cargo-deny" ]; then
  echo "building cargo-deny $version, once (a few minutes)" >&2
  CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug --version "$version" \
    --root "$tools" --target-dir "$tools/target" cargo-deny
  rm -rf "$tools/target"
fi
exec "$tools/bin/cargo-deny" "$@"
