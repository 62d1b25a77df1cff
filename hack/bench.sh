#!/usr/bin/env bash
# Measures the hot paths beside their floors and writes the table of docs/benchmarks.md. Arguments go to the test binary, such as
# -duration=3s.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

go test ./test/bench -count 1 -timeout 30m -run '^TestReport$' -v -args -report "$PWD/docs/benchmarks.md" "$@"
git --no-pager diff --stat -- docs/benchmarks.md
