#!/usr/bin/env bash
# Fails where a generated file, a go.mod or the formatting is not what the tools make of it, or the linter objects.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

echo "verify: generated files"
make --no-print-directory generate manifests
git diff --exit-code -- api config/crd || { echo "verify: run make generate manifests and commit the result" >&2; exit 1; }

echo "verify: modules"
for module in . hack/control-plane hack/tools; do
  (cd "$module" && go mod tidy -diff) || { echo "verify: run go mod tidy in $module" >&2; exit 1; }
done

echo "verify: formatting and lint"
make --no-print-directory lint
