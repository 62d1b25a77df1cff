// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestNobodyGuessesMoreThanTheBudget plays guesses and successes at random, under a clock that runs, stands, and is set back now
// and then, and counts for one pair what was let in: never more than the burst and one for each interval that the clock ran
// forward. And whoever was refused for its own guesses is let in after the time that it was told, if the clock only runs.
func TestNobodyGuessesMoreThanTheBudget(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 7))
		w := newWorld(FailureBudgets{Pair: defaults.Pair})
		var ran time.Duration
		admitted := 0
		for range 500 {
			switch step := time.Duration(random.IntN(4000)) * time.Millisecond; random.IntN(10) {
			case 0:
				w.time = w.time.Add(-step)
			case 1, 2, 3:
				w.time = w.time.Add(step)
				ran += step
			case 4:
				w.Succeeded(address(1), "orders")
			default:
				if w.guess(address(1), "orders") {
					admitted++
				}
			}
			if most := defaults.Pair.Burst + int(ran/defaults.Pair.Every); admitted > most {
				t.Fatalf("seed %d: %d guesses in %v", seed, admitted, ran)
			}
		}
		if wait := retryAfter(t, w.Admit(address(1), "orders")); wait > 0 {
			w.time = w.time.Add(wait)
			if err := w.Admit(address(1), "orders"); err != nil {
				t.Fatalf("seed %d: refused after %v: %v", seed, wait, err)
			}
		}
	}
}

// TestNobodyIsLockedOut: whatever strangers do, from wherever else, a client is let in where it was let in before.
func TestNobodyIsLockedOut(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 7))
		w := newWorld(defaults)
		w.Succeeded(address(0), "orders")
		for range 2000 {
			w.time = w.time.Add(time.Duration(random.IntN(100)) * time.Millisecond)
			client := "orders"
			if random.IntN(3) == 0 {
				client = name(random.IntN(100))
			}
			w.guess(address(1+random.IntN(1000)), client)
		}
		if err := w.Admit(address(0), "orders"); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// TestMemoryIsBounded: a million sources that each try another client cost no more than what is documented, and the last to come
// is still held to its budget.
func TestMemoryIsBounded(t *testing.T) {
	before := heap()
	w := newWorld(FailureBudgets{
		Pair: Budget{Burst: 2, Every: time.Hour}, Source: Budget{Burst: 2, Every: time.Hour}, Client: Budget{Burst: 2, Every: time.Hour},
	})
	for i := range 1_000_000 {
		source, clientID := address(i), strconv.Itoa(i)
		w.guess(source, clientID)
		w.Succeeded(source, clientID)
	}
	if used := int64(heap()) - int64(before); used > 4*MaxBytes {
		t.Errorf("%d bytes, and %d are documented", used, 4*MaxBytes)
	} else {
		t.Logf("%d bytes of at most %d", used, 4*MaxBytes)
	}
	for _, size := range []int{w.pair.table.size(), w.source.table.size(), w.client.table.size(), w.proven.size()} {
		if size > Capacity || size < Capacity/4 {
			t.Errorf("%d keys in a table of %d", size, Capacity)
		}
	}
	last, lastID := address(999_999), "999999"
	w.guess(last, lastID)
	if w.Admit(last, lastID) == nil {
		t.Error("the last one is forgotten already")
	}
	runtime.KeepAlive(w)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestRevocations(t *testing.T) {
	now := noon
	revocations := NewRevocations(Budget{Burst: 2, Every: 10 * time.Second}, func() time.Time { return now }, NewRefusals(prometheus.NewRegistry()))
	spend := func(clientID string) time.Duration { return retryAfter(t, revocations.Spend(clientID)) }
	for _, row := range []struct {
		client string
		want   time.Duration
	}{{"orders", 0}, {"orders", 0}, {"orders", 10 * time.Second}, {"other", 0}} {
		if got := spend(row.client); got != row.want {
			t.Errorf("%s: got a wait of %v, want %v", row.client, got, row.want)
		}
	}
	now = now.Add(10 * time.Second)
	if spend("orders") != 0 || spend("orders") == 0 {
		t.Error("time does not bring back one")
	}
}

// TestAtOnce: many at once get no more guesses than the budget and one each that was under way when it was spent.
func TestAtOnce(t *testing.T) {
	const workers, sources, clients = 8, 7, 5
	w := newWorld(defaults)
	var admitted atomic.Int64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := range 10_000 {
				if w.guess(address(i%sources), name(i%clients)) {
					admitted.Add(1)
				}
				w.Succeeded(address(i%sources), name(i%clients))
			}
		})
	}
	group.Wait()
	if most := int64(sources * clients * (defaults.Pair.Burst + workers)); admitted.Load() > most {
		t.Errorf("%d guesses, and %d are the most", admitted.Load(), most)
	}
}
