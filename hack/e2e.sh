#!/usr/bin/env bash
# Tries this commit, and an upgrade from the one before, on the cluster that KUBECONFIG names. It installs and removes Claviger there, and the
# namespaces acme and globex: give it a cluster that has nothing else to do.
#
#   CLUSTER   a program that knows the cluster: `CLUSTER push NAME:TAG BINARY` makes an image of a static binary that its nodes can pull, and
#             prints its reference; `CLUSTER restart PART` restarts etcd or apiserver
#   BEFORE    the commit to upgrade from (default: the one before; where this clone has none, the upgrade is left out)
#
# Arguments go to go test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${KUBECONFIG:?names no cluster}" "${CLUSTER:?is not set: see the head of hack/e2e.sh}"

say() { echo "e2e: $*" >&2; }

work=$(mktemp -d)
trap 'git worktree remove --force "$work/before" 2>/dev/null || true; rm -rf "$work"' EXIT

# image NAME FOLDER PACKAGE: that of a program, under a tag that no other has.
image() {
  local name=$1 folder=$2 package=$3
  say "building $name of $folder"
  (cd "$folder" && CGO_ENABLED=0 go build -ldflags '-s -w' -o "$work/$name" "$package")
  "$CLUSTER" push "$name:$(sha256sum "$work/$name" | cut -c1-12)" "$work/$name" | tail -1
}

if [[ -z ${BEFORE:-} ]] && ! git rev-parse --verify --quiet 'HEAD~1^{commit}' >/dev/null; then
  say "the upgrade is left out: this clone has no commit before; \`git fetch --unshallow\` fetches it"
  set -- -ginkgo.label-filter='!upgrade' "$@"
  PREVIOUS=none IMAGE_BEFORE=none
else
  git worktree add --quiet --detach "$work/before" "$(git rev-parse --verify "${BEFORE:-HEAD~1}^{commit}")"
  PREVIOUS=$work/before IMAGE_BEFORE=$(image claviger-before "$work/before" ./cmd/claviger)
fi

KUBECTL=$(hack/control-plane/build.sh)/kubectl
HELM=$(go tool -modfile=hack/install/go.mod -n helm) # builds it where it has to
IMAGE=$(image claviger . ./cmd/claviger)
IMAGE_WORKLOAD=$(image workload . ./test/e2e/workload)
RESTART="$CLUSTER restart"
export KUBECTL HELM IMAGE IMAGE_BEFORE IMAGE_WORKLOAD RESTART PREVIOUS

go test -tags e2e ./test/e2e -v -count 1 -timeout 30m -ginkgo.v "$@"
