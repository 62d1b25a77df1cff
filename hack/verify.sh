#!/usr/bin/env bash
# Fails where a generated file, a go.mod or the formatting is not what the tools make of it, or the linter objects.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

echo "verify: generated files"
generated() { for file in api/*/zz_generated.*.go $(git ls-files config/'*.yaml' charts) docs/rfc-conformance.md docs/reference/api.md; do echo "$(git hash-object "$file") $file"; done; }
before=$(generated)
make --no-print-directory generate manifests rfc-table
diff <(echo "$before") <(generated) || { echo "verify: these had not been generated anew; commit what is there now" >&2; exit 1; }

echo "verify: modules"
for module in . hack/control-plane hack/install hack/manifests hack/release hack/tools; do
  (cd "$module" && go mod tidy -diff) || { echo "verify: run go mod tidy in $module" >&2; exit 1; }
done

echo "verify: workflows"
go tool -modfile=hack/release/go.mod actionlint

echo "verify: formatting and lint"
make --no-print-directory lint
