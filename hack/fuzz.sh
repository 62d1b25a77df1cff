#!/usr/bin/env bash
# Fuzzes every target in turn, for the time that is given for each (default 1m). New failing inputs land in testdata/fuzz
# of the package; commit them with the fix.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
time=${1:-1m}

for package in $(go list ./internal/...); do
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    echo "fuzz: $target in $package for $time"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
  done
done
