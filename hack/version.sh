#!/usr/bin/env bash
# Says what is built: `hack/version.sh` the version, `hack/version.sh commit` the commit. What was built from a changed tree says -dirty.
#
# The version is the tag, or the last tag and what came after it. Before the first tag, it counts from a v0.0.0 that never was, for
# charts and krew take nothing but semantic versions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! head=$(git rev-parse --verify --quiet HEAD 2>/dev/null); then
  [[ ${1:-} == commit ]] && echo unknown || echo dev
  exit
fi
dirty=""
[[ -z $(git status --porcelain 2>/dev/null | head -1) ]] || dirty=-dirty
if [[ ${1:-} == commit ]]; then
  echo "$head$dirty"
else
  version=$(git describe --tags --match 'v[0-9]*' 2>/dev/null) || version=v0.0.0-$(git rev-list --count HEAD)-g$(git rev-parse --short HEAD)
  echo "$version$dirty"
fi
