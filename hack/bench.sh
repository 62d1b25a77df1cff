#!/usr/bin/env bash
# Runs the benchmarks five times, each beside its floor, and prints the medians and their ratio: 1.00 would be as fast as the
# least that any handler on net/http has to do. Arguments go to the test binary, such as -test.benchtime=3s.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

binary=$(mktemp)
trap 'rm -f "$binary"' EXIT
go test -c -o "$binary" ./test/bench
# One round after the other, so that a machine that slows down slows both sides.
for _ in 1 2 3 4 5; do "$binary" -test.run '^$' -test.bench . -test.benchmem "$@"; done | grep --line-buffered ^Benchmark | tee /dev/stderr | awk '
  /^Benchmark/ {
    split($1, part, "/"); sub(/^Benchmark/, "", part[1]); sub(/-[0-9]+$/, "", part[2])
    key = part[1] SUBSEP part[2]; names[part[1]] = 1
    ns[key, ++n[key]] = $3; bytes[key] = $5; allocs[key] = $7
  }
  function median(key,   i, j, t, v) {
    for (i = 1; i <= n[key]; i++) v[i] = ns[key, i]
    for (i = 1; i <= n[key]; i++) for (j = i + 1; j <= n[key]; j++) if (v[j] < v[i]) { t = v[i]; v[i] = v[j]; v[j] = t }
    return v[int((n[key] + 1) / 2)]
  }
  END {
    printf "\n%-8s %12s %12s %8s %16s %16s\n", "", "claviger", "floor", "ratio", "allocs claviger", "allocs floor"
    for (name in names) {
      ours = median(name SUBSEP "claviger"); floor = median(name SUBSEP "floor")
      printf "%-8s %9d ns %9d ns %8.2f %16d %16d\n", name, ours, floor, floor / ours, allocs[name, "claviger"], allocs[name, "floor"]
    }
  }'
