// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	report   = flag.String("report", "", "page whose table to write")
	duration = flag.Duration("duration", time.Second, "how long each handler is called in each round")
)

const (
	rounds     = 5
	tableBegin = "<!-- begin: make bench -->\n"
	tableEnd   = "<!-- end -->\n"
)

// TestReport measures every scenario and writes the table. A round of ours is followed by one of the floor, and each ratio is
// that of two neighbours, so that a machine that slows down slows both sides.
func TestReport(t *testing.T) {
	if *report == "" {
		t.Skip("make bench runs it")
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%s, %s/%s, %d cores, which the clients share; medians of %d rounds of %s.\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), rounds, *duration)
	table.WriteString("| path | requests/s | floor | ratio | p50 | floor | p99 | floor | ratio | alone | floor | ratio | allocations | floor |\n")
	table.WriteString("|---" + strings.Repeat("|---:", 13) + "|\n")
	for _, s := range scenarios(t) {
		line := s.line(t)
		t.Log(line)
		table.WriteString(line)
	}
	page := string(must(os.ReadFile(*report)))
	before, rest, found := strings.Cut(page, tableBegin)
	_, after, ended := strings.Cut(rest, tableEnd)
	if !found || !ended {
		t.Fatalf("%s has no place for the table", *report)
	}
	if err := os.WriteFile(*report, []byte(before+tableBegin+table.String()+tableEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// line measures a scenario.
func (s scenario) line(t *testing.T) string {
	t.Helper()
	var ours, floor []figures
	for range rounds {
		ours = append(ours, measure(t, s.ours, s.call, *duration))
		floor = append(floor, measure(t, s.floor, s.call, *duration))
	}
	ratio := func(of func(ours, floor figures) float64) float64 {
		ratios := make([]float64, rounds)
		for i := range ratios {
			ratios[i] = of(ours[i], floor[i])
		}
		slices.Sort(ratios)
		return ratios[rounds/2]
	}
	allocations := func(handler http.Handler) float64 {
		ask := s.call.again(handler)
		return testing.AllocsPerRun(20, func() { ask() })
	}
	return fmt.Sprintf("| %s | %.0f | %.0f | **%.2f** | %s | %s | %s | %s | **%.2f** | %s | %s | %.2f | %.0f | %.0f |\n", s.name,
		median(ours, func(f figures) float64 { return f.perSecond }), median(floor, func(f figures) float64 { return f.perSecond }),
		ratio(func(ours, floor figures) float64 { return ours.perSecond / floor.perSecond }),
		typical(ours, func(f figures) time.Duration { return f.p50 }), typical(floor, func(f figures) time.Duration { return f.p50 }),
		typical(ours, func(f figures) time.Duration { return f.p99 }), typical(floor, func(f figures) time.Duration { return f.p99 }),
		ratio(func(ours, floor figures) float64 { return float64(ours.p99) / float64(floor.p99) }),
		typical(ours, func(f figures) time.Duration { return f.alone }), typical(floor, func(f figures) time.Duration { return f.alone }),
		ratio(func(ours, floor figures) float64 { return float64(floor.alone) / float64(ours.alone) }),
		allocations(s.ours), allocations(s.floor))
}

func median(all []figures, of func(figures) float64) float64 {
	values := make([]float64, len(all))
	for i, each := range all {
		values[i] = of(each)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// typical is a median that people can read.
func typical(all []figures, of func(figures) time.Duration) string {
	took := time.Duration(median(all, func(f figures) float64 { return float64(of(f)) }))
	if took < 100*time.Microsecond {
		return fmt.Sprintf("%.1f µs", float64(took)/float64(time.Microsecond))
	}
	return fmt.Sprintf("%.2f ms", float64(took)/float64(time.Millisecond))
}
