#!/usr/bin/env bash
# Runs the tests and counts them:
#
#   tests/run.sh all     every stage, inside `tests/setup/env.sh run` (which needs root)
#   tests/run.sh unit    the first stage only, with whatever this machine happens to have
#
# Each stage reports through a file of "PASSED FAILED"; the last line printed is their sum. The status is
# 0 only when every stage ran to its end and nothing failed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
passed=0 failed=0 broken=0

# stage NAME COMMAND...: COMMAND finds the file for its count in PORTICO_TEST_COUNT.
stage() {
  local name=$1 count status=0 p f
  shift
  printf '\n== %s\n' "$name"
  count=$(mktemp)
  PORTICO_TEST_COUNT=$count "$@" || status=$?
  if read -r p f <"$count"; then
    passed=$((passed + p)) failed=$((failed + f))
    printf '%s: %d passed, %d failed\n' "$name" "$p" "$f"
  else
    printf '%s: ended with status %d and without a count\n' "$name" "$status" >&2
    broken=$((broken + 1)) f=1
  fi
  if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
    printf '%s: ended with status %d although no test failed\n' "$name" "$status" >&2
    broken=$((broken + 1))
  fi
  rm -f "$count"
}

require_nextest() { command -v cargo-nextest >/dev/null || cargo install --locked cargo-nextest; }

# count_junit FILE: "PASSED FAILED" out of the totals that nextest writes at the report's head.
count_junit() {
  local head tests failures errors
  head=$(grep -m 1 '^<testsuites ' "$1")
  tests=$(attribute tests "$head") failures=$(attribute failures "$head") errors=$(attribute errors "$head")
  printf '%d %d\n' $((tests - failures - errors)) $((failures + errors))
}

attribute() { sed -E "s/.* $1=\"([0-9]+)\".*/\1/" <<<"$2"; }

rust_tests() {
  rm -f target/nextest/default/junit.xml
  local status=0
  cargo nextest run --workspace || status=$?
  count_junit target/nextest/default/junit.xml >"$PORTICO_TEST_COUNT"
  return "$status"
}

# Types, then the parts, the built pages and the terminal in a real browser (needs `make web`).
web_tests() {
  local status=0 report
  report=$(mktemp)
  npm --prefix web run --silent check || status=$?
  npm --prefix web test --silent -- --reporter=default --reporter=junit --outputFile.junit="$report" || status=$?
  count_junit "$report" >"$PORTICO_TEST_COUNT"
  rm -f "$report"
  return "$status"
}

inside() {
  # All components are there, so a test that misses one must fail and not skip itself.
  export CI=true
  # First the whole, while the engine is fresh: tests of the Docker engine stop and start others beside it.
  stage "whole system" tests/run-e2e.sh
  stage "crates" rust_tests
  stage "web" web_tests
  finish
}

finish() {
  [ "$broken" -eq 0 ] || failed=$((failed + broken))
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}

case ${1:-} in
  all)
    # Compiling needs no daemon; a mistake in the code is told before anything is brought up.
    tests/setup/env.sh install
    require_nextest
    # Twice: once with named moments at which the crash tests of the whole system end it.
    cargo build --quiet --package portico --features failpoints
    install -D target/debug/portico target/e2e/portico-failpoints
    cargo build --quiet --package portico
    cargo nextest run --cargo-quiet --workspace --no-run
    exec tests/setup/env.sh run -- tests/run.sh inside
    ;;
  inside) inside ;;
  unit)
    require_nextest
    stage "crates" rust_tests
    finish
    ;;
  *)
    echo "usage: tests/run.sh all|unit" >&2
    exit 2
    ;;
esac
