# A PostgreSQL cluster that lives as long as one run of the tests: reached by a unix socket only,
# trusting whoever can open it, and without the syncs that only matter to data worth keeping.
# Sourced by env.sh.
# shellcheck shell=bash

# start_postgres DIR: sets PORTICO_TEST_POSTGRES. The server refuses to run as root, hence setpriv.
start_postgres() {
  local dir=$1 bin
  bin=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1)
  install -d -m 755 -o postgres -g postgres "$dir"
  local as=(setpriv --reuid=postgres --regid=postgres --clear-groups env LC_ALL=C.UTF-8)
  if ! "${as[@]}" "$bin/initdb" -D "$dir/data" -A trust -U postgres --no-sync >"$dir.log" 2>&1 </dev/null; then
    tail -n 5 "$dir.log" >&2
    die "initdb failed; the log is $dir.log"
  fi
  (cd / && exec setsid "${as[@]}" "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= \
    -c fsync=off -c full_page_writes=off -c max_connections=300 \
    -c shared_buffers=64MB) </dev/null >>"$dir.log" 2>&1 9>&- &
  if ! wait_for 30 "$bin/pg_isready" -q -h "$dir" -U postgres; then
    tail -n 10 "$dir.log" >&2
    die "PostgreSQL did not start; the log is $dir.log"
  fi
  export PORTICO_TEST_POSTGRES="host=$dir user=postgres dbname=postgres"
}
