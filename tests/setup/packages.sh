# Installs, in one apt run, the Debian packages that the tests need and that are missing.
# Sourced by env.sh. It never starts a service: packages that would are held back by a policy-rc.d.
# shellcheck shell=bash

# What proves that a package is there, and the package's name.
readonly REQUIREMENTS='
dockerd            docker.io
docker-registry    docker-registry
debootstrap        debootstrap
bwrap              bubblewrap
chromium           chromium
postgres           postgresql
slirp4netns        slirp4netns
ip                 iproute2
iptables           iptables
jq                 jq
curl               curl
strace             strace
setpriv            util-linux
busybox.static     busybox-static
fonts              fonts-dejavu-core
'

# is_present NAME: whether the tool of the left column above can be used.
is_present() {
  case $1 in
    postgres) compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ;;
    busybox.static) dpkg-query -W -f '${Status}' busybox-static 2>/dev/null | grep -q ' installed$' ;;
    fonts) test -d /usr/share/fonts/truetype/dejavu ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

missing_packages() {
  local tool package
  while read -r tool package; do
    [ -z "$tool" ] || is_present "$tool" || printf '%s\n' "$package"
  done <<<"$REQUIREMENTS"
}

# Debian's own hook to forbid that an installation starts services; removed again if it was ours.
forbid_service_starts() {
  policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then
    policy=
  else
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
}

# A package that has just been installed must not leave a database cluster or a daemon behind.
install_packages() {
  local missing log started=$SECONDS policy
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || die "these packages are missing: ${missing[*]}
set-up: run as root, or install them first: apt-get install --no-install-recommends ${missing[*]}"
  command -v apt-get >/dev/null ||
    die "there is no apt-get here; install what these Debian packages hold: ${missing[*]}"

  say "installing ${#missing[@]} packages: ${missing[*]}"
  log=$(cache_dir)/apt.log
  forbid_service_starts
  if ! {
    apt-get update -qq -o Acquire::Languages=none &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Options::=--force-confold \
        -o DPkg::Lock::Timeout=300 "${missing[@]}"
  } >"$log" 2>&1 </dev/null; then
    [ -z "$policy" ] || rm -f "$policy"
    tail -n 20 "$log" >&2
    die "apt-get failed; the whole log is $log"
  fi
  [ -z "$policy" ] || rm -f "$policy"
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -eq 0 ] || die "apt-get succeeded, but these are still missing: ${missing[*]}"
  say "packages installed in $((SECONDS - started)) s"
}
