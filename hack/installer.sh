#!/usr/bin/env bash
# Writes dist/install.yaml: all of Claviger in one file, with the image IMAGE:VERSION.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${VERSION:?}" "${IMAGE:=claviger/claviger}"
assets=$(hack/control-plane/build.sh)
mkdir -p dist
out=$(mktemp -d dist/.installer-XXXX)
trap 'rm -rf "$out"' EXIT
cat >"$out/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../config/default]
images: [{name: claviger/claviger, newName: "$IMAGE", newTag: "$VERSION"}]
YAML
"$assets/kubectl" kustomize "$out" >dist/install.yaml.new
mv dist/install.yaml.new dist/install.yaml
echo "dist/install.yaml: kubectl apply --server-side -f dist/install.yaml" >&2
