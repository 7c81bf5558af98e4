#!/bin/sh
# Says in a sentence what is missing before anything is built: preflight.sh TOOL...
# Knows cargo, cc, node, npm and python3.
set -u
failed=0

# at_least WANTED FOUND: compares versions such as 1.90 and 1.95.0.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

complain() {
  echo "$1" >&2
  failed=1
}

check() {
  tool=$1 wanted=$2 version_of=$3 advice=$4
  if ! command -v "$tool" >/dev/null; then
    complain "Portico is built with $tool, which is not here. $advice"
  elif [ -n "$wanted" ]; then
    found=$($version_of 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
    at_least "$wanted" "${found:-0}" ||
      complain "Portico needs $tool $wanted or newer, and $(command -v "$tool") is ${found:-unknown}. $advice"
  fi
}

for tool in "$@"; do
  case $tool in
    cargo) check cargo 1.90 'cargo --version' \
      "Install it by rustup: Debian's package 'rustup' (Debian 13) or https://rustup.rs; Debian 12's own 'cargo' is too old." ;;
    cc) check cc '' '' "On Debian: apt-get install gcc libc6-dev" ;;
    node) check node 20.19 'node --version' \
      "On Debian 13: apt-get install nodejs; Debian 12's own 'nodejs' is too old, NodeSource has a newer one." ;;
    npm) check npm '' '' "On Debian: apt-get install npm" ;;
    python3) check python3 3.11 'python3 --version' "On Debian: apt-get install python3" ;;
    *) complain "preflight.sh knows nothing of $tool" ;;
  esac
done
exit "$failed"
