#!/bin/sh
# What must be there before any Python package is: `bootstrap.sh python | engine | images`. Each says in a line what it found or did,
# changes nothing that is there already, and ends with a non-zero status and the next step when it cannot help.
set -eu

cache=${DEVENV_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/devenv}
suite=trixie # whose engine works where root lacks some privileges; Debian 12's does not
suite_list=/etc/apt/sources.list.d/devenv-$suite.list

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "Error: $1"
  say ""
  say "Hint: $2"
  exit 3
}
have() { command -v "$1" > /dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }
is_debian() { [ -f /etc/debian_version ] && have apt-get; }
# apt must never ask, least of all where nobody can answer
apt() { DEBIAN_FRONTEND=noninteractive apt-get "$@" < /dev/null; }
answers() { docker version --format '{{.Server.Version}}' > /dev/null 2>&1; }

python() {
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    have "$name" && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && found=$name && break
  done
  [ -n "${found:-}" ] || fail "no Python 3.11 or later is here" "install Python 3.11 or later"
  if ! "$found" -c 'import ensurepip, venv' 2> /dev/null; then
    if is_root && is_debian; then
      say "installing Python's venv module"
      apt update -qq && apt install -y -qq python3-venv > /dev/null || fail "python3-venv could not be installed" "see apt's lines above"
    else
      fail "this Python cannot make virtual environments" "install its venv module (Debian, Ubuntu: \`apt install python3-venv\`)"
    fi
  fi
  echo "$found"
}

engine() {
  if have docker && answers; then
    :
  elif [ "$(uname -s)" = Darwin ]; then
    fail "no Docker engine answers" "install and start Docker Desktop, OrbStack, Colima or Rancher Desktop"
  elif ! is_root; then
    if have docker; then
      fail "no Docker engine answers" "start it (\`sudo systemctl start docker\`), and let your user use it (group \`docker\`)"
    fi
    fail "Docker is not installed" "install Docker, or run \`sudo make engine\` on Debian or Ubuntu"
  else
    have dockerd || install_engine
    start_engine
  fi
  docker info --format 'Docker {{.ServerVersion}}, cgroup v{{.CgroupVersion}}, {{.NCPU}} CPUs' >&2
}

install_engine() {
  is_debian || fail "Docker is not installed" "install Docker for this system, then run the same command again"
  say "installing the Docker engine from Debian's packages, about 90 s"
  apt update -qq || fail "the package lists could not be read" "see apt's lines above"
  if grep -q '^VERSION_CODENAME=bookworm' /etc/os-release || [ -f "$suite_list" ]; then
    # once begun it must be ended so: the later suite's base-files already tell another code name
    add_suite
    apt install -y -qq -t "$suite" docker.io docker-cli docker-buildx containerd runc > /dev/null
  elif apt-cache show docker-cli > /dev/null 2>&1; then
    apt install -y -qq docker.io docker-cli docker-buildx > /dev/null
  else
    apt install -y -qq docker.io docker-buildx > /dev/null
  fi || fail "the Docker engine could not be installed" "see apt's lines above"
  apt install -y -qq iptables iproute2 kmod > /dev/null || fail "iptables could not be installed" "see apt's lines above"
}

# The later suite from the mirror this machine uses already, for named packages only: nothing else is upgraded by it.
add_suite() {
  mirror=$(apt-get indextargets --format '$(LABEL)|$(SITE)' 'Created-By: Packages' | sed -n 's/^Debian|//p' | head -n 1)
  [ -n "$mirror" ] || fail "apt knows no Debian mirror" "install Docker yourself, then run the same command again"
  echo "deb $mirror $suite main" > "$suite_list"
  printf 'Package: *\nPin: release n=%s\nPin-Priority: 100\n' "$suite" > /etc/apt/preferences.d/devenv-$suite
  apt update -qq
}

start_engine() {
  log=$cache/logs/dockerd.log
  mkdir -p "$cache/logs"
  if [ -d /run/systemd/system ] && have systemctl && systemctl start docker 2> /dev/null; then
    say "started the Docker engine"
  elif ! pgrep -x dockerd > /dev/null 2>&1; then
    say "starting the Docker engine; its log is $log"
    setsid dockerd > "$log" 2>&1 < /dev/null &
  fi
  tries=120
  until answers; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || fail "the Docker engine does not start" "read $log"
    sleep 0.5
  done
}

# What `devenv images build` needs beyond the engine, should images have to be built.
images() {
  if have debootstrap || ! is_root || ! is_debian; then return 0; fi
  say "installing debootstrap"
  apt install -y -qq debootstrap > /dev/null || { apt update -qq && apt install -y -qq debootstrap > /dev/null; } \
    || fail "debootstrap could not be installed" "see apt's lines above"
}

case ${1:-} in
  python | engine | images) "$1" ;;
  *) fail "nothing to do" "bootstrap.sh python | engine | images" ;;
esac
