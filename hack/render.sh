#!/usr/bin/env bash
# Makes config/ for Kustomize, and what the chart has of config/: charts/claviger is where the manifests of the roles are written, and
# config/crd/bases (by controller-gen) where the kinds are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

rm -rf charts/claviger/crds-source
mkdir -p charts/claviger/crds-source
cp config/crd/bases/*.yaml charts/claviger/crds-source/

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# render FLAG...: into $out, with values that differ from the chart's own.
render() {
  ${HELM:-go tool -modfile=hack/install/go.mod helm} template claviger charts/claviger --namespace claviger-system --output-dir "$out" \
    --set crds.install=false "$@" >/dev/null
}
# Autoscalers, the gate's rights and what the Prometheus operator reads are for those who want them. With an autoscaler a Deployment names no replicas, so these come last.
render --set tokenService.autoscaling.enabled=true,connect.autoscaling.enabled=true
render --set gate.rbac=true,prometheus.enabled=true

cd "$out/claviger/templates"
find . -name '*.yaml' | while read -r file; do
  target=$root/config/${file#./}
  mkdir -p "$(dirname "$target")"
  {
    echo "# Made from charts/claviger/templates/${file#./} by \`make manifests\`."
    # Helm's own marks, and the blank lines that it leaves.
    sed -e '1{/^---$/d}' -e '/^# Source: /d' "$file" | awk '/^$/ {blank = 1; next} {if (blank && $0 != "---") print ""; blank = 0; print}'
  } >"$target"
done

cd "$root"
go build -C hack/install -o "$out/readme" ./readme
"$out/readme" >charts/claviger/README.md
