#!/usr/bin/env bash
# Runs every test that this machine can run, and names at the end what was left out and why. With CI=true it installs what
# is missing from the distribution's packages, and leaves nothing out. Arguments go to go test, after the packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PATH=$PATH:/usr/sbin # where Debian has servers, and users do not look
left_out=()

# install PACKAGE: without what it only recommends, and no service that comes with it runs, now or after the next boot.
install() {
  local policy=/usr/sbin/policy-rc.d ours=false
  [[ -e $policy ]] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && ours=true; }
  apt-get update -qq || true
  apt-get install -y -qq --no-install-recommends -o Acquire::Retries=3 "$1" || true
  ! $ours || rm -f "$policy"
  ! command -v systemctl || systemctl disable --quiet "$1" 2>/dev/null || true
}

# need COMMAND PACKAGE WHAT: true where the command is there, or could be installed.
need() {
  command -v "$1" >/dev/null && return
  if [[ ${CI:-} == true ]]; then
    echo "test: installing $2" >&2
    install "$2" >/dev/null || true
    command -v "$1" >/dev/null && return
    echo "test: $1 is missing and could not be installed: it is needed for $3" >&2
    exit 1
  fi
  left_out+=("$3: no $1")
  return 1
}

flags=()
if need cc gcc "the race detector"; then
  flags+=(-race)
fi

# The clients of test/interop that are written for Node.js, and a provider of test/connections. Their packages come from npm, once,
# into a cache.
nodes="the clients of Node.js in test/interop, and npm oidc-provider in test/connections"
if need node nodejs "$nodes" && need npm npm "$nodes"; then
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' ||
    left_out+=("$nodes: node $(node --version) is older than 20")
fi
need nginx nginx "nginx as a gateway" || true
need caddy caddy "Caddy as a gateway" || true
need chromium chromium "pages in a real browser" || true

[[ $(uname) == Linux ]] || left_out+=("the tests of the sandbox binary: they look into /proc, which only Linux has")

assets=$(hack/control-plane/build.sh)
export KUBEBUILDER_ASSETS=$assets CGO_ENABLED=$((${#flags[@]} > 0))
# All of it first, so that no test shares the machine with a compiler. Nothing is linked yet, which go test does for each package.
echo "test: compiling" >&2
go list -export -test -f '{{""}}' ${flags[@]+"${flags[@]}"} ./... >/dev/null
# Two packages at a time, the longest first: each suite has a control plane of its own, and often waits. Not more, because some promises
# are about a second. Without vet, which `make lint` has. None from Go's cache: it does not know that the tests of the binaries depend on
# what those are built from.
status=0
go tool -modfile=hack/tools/go.mod gotestsum --format pkgname-and-test-fails -- \
  ${flags[@]+"${flags[@]}"} -p 2 -vet off -count 1 -timeout 30m ./test/integration ./... "$@" || status=$?
if ((${#flags[@]})); then
  echo "test: allocations of the hot paths, which the race detector would change, and searches of models, which it would slow down" >&2
  CGO_ENABLED=0 go test -count 1 ./test/bench ./internal/connector ./internal/credential ./internal/keyring ./internal/pki "$@" || status=$?
fi

# Without the race detector: they read files, one after the other.
echo "test: manifests, with the software that reads them" >&2
(cd hack/manifests && CGO_ENABLED=0 go test -count 1 ./... "$@") || status=$?

if ((${#left_out[@]})); then
  echo "left out on this machine:"
  printf '  %s\n' "${left_out[@]}"
else
  echo "left out on this machine: nothing"
fi
exit $status
