#!/usr/bin/env bash
# Builds etcd, kube-apiserver, kube-controller-manager and kubectl from the Go modules that go.mod beside this file pins,
# into a per-user cache keyed by version that all clones share, and prints that folder's path on standard output.
#
#   build.sh          build what is missing (7 to 10 minutes on 2 cores the first time, nothing after)
#   build.sh --path   print the folder, build nothing
#
# KUBEBUILDER_ASSETS, where set, is used instead: nothing is built, and what it lacks is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

say() { echo "control-plane: $*" >&2; }

version() { go list -mod=readonly -m -f '{{.Version}}' "$1"; }

# compile NAME PACKAGE LDFLAGS: one binary, with a line for every tenth of its packages.
# The binary appears under its name only when it is whole, so an interrupted build is never mistaken for a finished one.
compile() {
  local name=$1 package=$2 ldflags=$3 total began=$SECONDS
  total=$(go list -deps "$package" | wc -l)
  say "[$step/$steps] building $name"
  CGO_ENABLED=0 go build -v -trimpath -ldflags "-s -w $ldflags" -o "$assets/.$name.$$" "$package" 2>&1 |
    awk -v name="$name" -v total="$total" -v step="$step/$steps" '
      / / { print > "/dev/stderr"; next }                      # a package path has no blank: this is a message
      { done = int(10 * ++n / total); if (done > shown) { shown = done; printf "control-plane: [%s] %s: %d of at most %d packages\n", step, name, n, total > "/dev/stderr" } }'
  mv "$assets/.$name.$$" "$assets/$name"
  say "[$step/$steps] built $name in $((SECONDS - began)) s"
}

binaries=(etcd kube-apiserver kube-controller-manager kubectl)
if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
  missing=()
  for name in "${binaries[@]}"; do
    [[ -x $KUBEBUILDER_ASSETS/$name ]] || missing+=("$name")
  done
  if ((${#missing[@]})); then
    say "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS lacks ${missing[*]}; add them, or unset it to build all from source"
    exit 1
  fi
  echo "$KUBEBUILDER_ASSETS"
  exit
fi

kubernetes=$(version k8s.io/kubernetes)
etcd=$(version go.etcd.io/etcd/server/v3)
assets=${XDG_CACHE_HOME:-$HOME/.cache}/claviger/control-plane/kubernetes-$kubernetes-etcd-$etcd
if [[ ${1:-} == --path ]]; then
  echo "$assets"
  exit
fi
mkdir -p "$assets"

stamp=k8s.io/component-base/version
IFS=. read -r major minor _ <<<"${kubernetes#v}"
k8s_ldflags="-X $stamp.gitVersion=$kubernetes -X $stamp.gitMajor=$major -X $stamp.gitMinor=$minor"

# Two builds at once would be twice the work; where there is no flock they are, and do no harm.
if command -v flock >/dev/null; then
  exec 9>"$assets/.lock"
  flock --nonblock 9 || { say "another build is under way; waiting for it"; flock 9; }
fi
[[ -x $assets/kubectl ]] || say "building a Kubernetes control plane from source into $assets; once, in 7 to 10 minutes on 2 cores"
step=0 steps=${#binaries[@]}
for name in "${binaries[@]}"; do
  step=$((step + 1))
  [[ -x $assets/$name ]] && continue
  if [[ $name == etcd ]]; then
    compile etcd go.etcd.io/etcd/server/v3 ""
  else
    compile "$name" "k8s.io/kubernetes/cmd/$name" "$k8s_ldflags"
  fi
done
echo "$assets"
