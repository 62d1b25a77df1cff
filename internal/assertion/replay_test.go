// SPDX-License-Identifier: Apache-2.0

package assertion_test

import (
	"errors"
	mathrand "math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/assertion"
)

func proof(id string, expires time.Time) assertion.Proof {
	return assertion.Proof{ID: id, ExpiresAt: expires}
}

func TestReplays(t *testing.T) {
	var replays assertion.Replays
	for _, row := range []struct {
		name, client, id string
		at               time.Duration
		want             error
	}{
		{"the first use", "a", "1", 0, nil},
		{"the second", "a", "1", 0, assertion.ErrReplayed},
		{"another assertion", "a", "2", 0, nil},
		{"another client may choose the same jti", "b", "1", 0, nil},
		{"up to its last moment", "a", "1", time.Minute - 1, assertion.ErrReplayed},
		{"what has expired is forgotten", "a", "1", time.Minute, nil},
		{"and may not be used twice again", "a", "1", time.Minute, assertion.ErrReplayed},
	} {
		now := noon.Add(row.at)
		if err := replays.Use(row.client, proof(row.id, now.Add(time.Minute)), now); !errors.Is(err, row.want) {
			t.Errorf("%s: got %v", row.name, err)
		}
	}
}

// TestReplaysAgainstAModel: any sequence of uses has the outcome that a list without bounds has.
func TestReplaysAgainstAModel(t *testing.T) {
	for seed := range uint64(50) {
		random := mathrand.New(mathrand.NewPCG(seed, 0))
		var replays assertion.Replays
		model, now := map[string]time.Time{}, noon
		for step := range 2000 {
			now = now.Add(time.Duration(random.IntN(2000)) * time.Millisecond)
			client, id := strconv.Itoa(random.IntN(5)), strconv.Itoa(random.IntN(300))
			expires := now.Add(time.Duration(1+random.IntN(600)) * time.Second)
			until, used := model[client+"|"+id]
			want := used && now.Before(until)
			err := replays.Use(client, proof(id, expires), now)
			if (err != nil) != want {
				t.Fatalf("seed %d, step %d: got %v, and it was used: %t", seed, step, err, want)
			}
			if err == nil {
				model[client+"|"+id] = expires
			}
		}
	}
}

// TestReplaysIsBounded: what does not fit is refused, and nothing is forgotten early to make room.
func TestReplaysIsBounded(t *testing.T) {
	var replays assertion.Replays
	use := func(client string, n int, at time.Time) error {
		return replays.Use(client, proof(strconv.Itoa(n), at.Add(time.Minute)), at)
	}
	const perClient, clients = 8192, 32
	for client := range clients {
		for n := range perClient {
			if err := use(strconv.Itoa(client), n, noon); err != nil {
				t.Fatalf("client %d, assertion %d: %v", client, n, err)
			}
		}
		if err := use(strconv.Itoa(client), perClient, noon); !errors.Is(err, assertion.ErrTooMany) {
			t.Fatalf("client %d has more than its share: %v", client, err)
		}
	}
	if err := use("one more", 0, noon); !errors.Is(err, assertion.ErrTooMany) {
		t.Errorf("a client beyond the bound of all: %v", err)
	}
	if err := use("0", 0, noon); !errors.Is(err, assertion.ErrReplayed) {
		t.Errorf("the first was forgotten: %v", err)
	}
	if err := use("one more", 0, noon.Add(time.Minute)); err != nil {
		t.Errorf("when all have expired: %v", err)
	}
}

// TestReplaysAtOnce: of those who use one assertion at the same moment, one wins.
func TestReplaysAtOnce(t *testing.T) {
	var replays assertion.Replays
	var won atomic.Int32
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if replays.Use("a", proof("1", noon.Add(time.Minute)), noon) == nil {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d won", won.Load())
	}
}
