#!/usr/bin/env bash
# The images that tests use, made without any registry:
#
#   portico/base:bookworm   Debian 12, minimal, by debootstrap from the machine's own mirror
#   portico/busybox         2 MB: a shell and an HTTP server (httpd), for engine tests
#   portico/web             base + python3
#
# Each carries the key of its recipe as a label and is made again only when the recipe changed.
# DOCKER_HOST names the engine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

readonly SUITE=bookworm
# What no container needs: package lists, documentation, translations.
readonly DROPPED='var/cache/apt/archives/*.deb var/lib/apt/lists/* usr/share/doc/* usr/share/man/* usr/share/locale/* var/log/*.log'
readonly DPKG_RULES='force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*'
readonly WEB_DOCKERFILE='FROM portico/base:bookworm
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
CMD ["python3", "-m", "http.server", "8080"]'

# The mirror that this machine itself uses.
debian_mirror() {
  local mirror
  # shellcheck disable=SC2016
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null |
    grep -E '^http.*/debian/?$' | head -n 1) || true
  [ -n "$mirror" ] || die "the apt sources of this machine name no Debian mirror over http: add one"
  printf '%s\n' "$mirror"
}

has_image() {
  [ "$(docker image inspect --format '{{index .Config.Labels "portico.recipe"}}' "$1" 2>/dev/null)" = "$2" ]
}

# base_archive KEY: the path of the root file system's archive; made once per cache, by one run at a time.
base_archive() {
  local cache archive work
  cache=$(cache_dir)
  archive=$cache/base-$SUITE-$1.tar
  (
    flock 8
    [ -s "$archive" ] && exit 0
    say "making a Debian $SUITE root file system (about half a minute, once)"
    work=$(mktemp -d "$cache/debootstrap.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    debootstrap --variant=minbase "$SUITE" "$work/root" "$(debian_mirror)" >"$cache/debootstrap.log" 2>&1 ||
      { tail -n 5 "$cache/debootstrap.log" >&2 && die "debootstrap failed; the log is $cache/debootstrap.log"; }
    # shellcheck disable=SC2086
    (cd "$work/root" && rm -rf $DROPPED)
    printf '%s\n' "$DPKG_RULES" >"$work/root/etc/dpkg/dpkg.cfg.d/portico"
    printf 'Acquire::Languages "none";\n' >"$work/root/etc/apt/apt.conf.d/90portico"
    printf 'deb %s %s main\n' "$(debian_mirror)" "$SUITE" "$(debian_mirror)" "$SUITE-updates" \
      >"$work/root/etc/apt/sources.list"
    tar -C "$work/root" -cf "$work/base.tar" .
    mv "$work/base.tar" "$archive"
  ) 8>"$cache/base.lock"
  printf '%s\n' "$archive"
}

make_base() {
  local key archive
  key=$(content_key "$SUITE" "$DROPPED" "$DPKG_RULES" "$(declare -f base_archive)")
  has_image portico/base:bookworm "$key" && return 0
  archive=$(base_archive "$key")
  say "importing portico/base:bookworm"
  docker import --change "LABEL portico.recipe=$key" --change 'CMD ["/bin/bash"]' \
    "$archive" portico/base:bookworm >/dev/null
}

make_busybox() {
  local key root
  key=$(content_key "$(sha256sum /bin/busybox)" "$(declare -f busybox_root)")
  has_image portico/busybox "$key" && return 0
  say "importing portico/busybox"
  root=$(mktemp -d)
  busybox_root "$root"
  tar -C "$root" -c . | docker import --change "LABEL portico.recipe=$key" \
    --change 'CMD ["sh"]' - portico/busybox:latest >/dev/null
  rm -rf "$root"
}

busybox_root() {
  mkdir -p "$1"/{bin,etc,tmp,www,home/user,run,proc,sys,dev,workspace}
  chmod 1777 "$1/tmp"
  chown 1000:1000 "$1/home/user" "$1/workspace"
  cp /bin/busybox "$1/bin/busybox"
  local applet
  for applet in $(busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
  done
  printf 'root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n' >"$1/etc/passwd"
  printf 'root:x:0:\nuser:x:1000:\n' >"$1/etc/group"
  printf 'it works\n' >"$1/www/index.html"
}

make_web() {
  local key base
  base=$(docker image inspect --format '{{.Id}}' portico/base:bookworm)
  key=$(content_key "$WEB_DOCKERFILE" "$base")
  has_image portico/web "$key" && return 0
  say "building portico/web"
  local log
  log=$(printf '%s\n' "$WEB_DOCKERFILE" |
    DOCKER_BUILDKIT=0 docker build -q --label "portico.recipe=$key" -t portico/web:latest - 2>&1) ||
    die "portico/web did not build: $log"
}

[ -n "${DOCKER_HOST:-}" ] || die "images.sh needs DOCKER_HOST"
make_busybox
make_base
make_web
