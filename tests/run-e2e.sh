#!/usr/bin/env bash
# The stage "whole system" of tests/run.sh: the real binary, a real browser, and a binary with named
# moments of death. Arguments are files below tests/e2e; without any, all of them run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
report=$(mktemp)
trap 'rm -f "$report"' EXIT
files=("$@")
[ ${#files[@]} -gt 0 ] || files=(tests/e2e/*.test.mjs)

status=0
node --test --test-concurrency=2 --test-timeout=240000 \
  --test-reporter=spec --test-reporter-destination=stdout \
  --test-reporter=tap --test-reporter-destination="$report" "${files[@]}" || status=$?

# total NAME: the figure that the report ends with.
total() { sed -nE "s/^# $1 ([0-9]+)$/\1/p" "$report" | tail -n 1; }
if [ -n "${PORTICO_TEST_COUNT:-}" ]; then
  printf '%d %d\n' "$(total pass)" $(($(total fail) + $(total cancelled))) >"$PORTICO_TEST_COUNT"
fi
exit "$status"
