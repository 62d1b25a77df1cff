// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/token"
)

// counts are hits, misses and how many tokens there are.
func counts(cache *token.Cache) string {
	return fmt.Sprintf("%d hits, %d misses, %d tokens", cache.Hits(), cache.Misses(), cache.Len())
}

func TestCache(t *testing.T) {
	ring := newRing(t)
	raw := mint(t, ring)
	cache := token.NewCache(8)
	want, err := token.Verify(raw, ring, expect)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got, err := cache.Verify(raw, ring, expect); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if got := counts(cache); got != "2 hits, 1 misses, 1 tokens" {
		t.Errorf("got %s", got)
	}
	if got, err := token.NewCache(0).Verify(raw, ring, expect); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("without a cache: got %+v, %v", got, err)
	}
}

// TestCacheForgets: a token that is known is refused as soon as Verify would refuse it, for the same cause.
func TestCacheForgets(t *testing.T) {
	ring := newRing(t)
	both, err := keyring.NewRing(newRing(t).Signer(noon), ring.Signer(noon))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		ring   *keyring.Ring
		change func(*token.Expect)
		good   bool
	}{
		{name: "nothing has changed", ring: ring, good: true},
		{name: "another key was added", ring: both, good: true},
		{name: "its key was removed", ring: newRing(t)},
		{name: "it is the last moment", ring: ring, change: func(e *token.Expect) { e.Now = noon.Add(time.Hour - 1) }, good: true},
		{name: "it has expired", ring: ring, change: func(e *token.Expect) { e.Now = noon.Add(time.Hour) }},
		{name: "the clock is set back by a minute", ring: ring, change: func(e *token.Expect) { e.Now = noon.Add(-time.Minute) }, good: true},
		{name: "the clock is set back further", ring: ring, change: func(e *token.Expect) { e.Now = noon.Add(-time.Minute - 1) }},
		{name: "another issuer is expected", ring: ring, change: func(e *token.Expect) { e.Issuer = "https://other.example.com" }},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw, cache := mint(t, ring), token.NewCache(8)
			if _, err := cache.Verify(raw, ring, expect); err != nil {
				t.Fatal(err)
			}
			then := expect
			if row.change != nil {
				row.change(&then)
			}
			_, want := token.Verify(raw, row.ring, then)
			got, err := cache.Verify(raw, row.ring, then)
			if (err == nil) != row.good || fmt.Sprint(err) != fmt.Sprint(want) {
				t.Errorf("got %v, want %v", err, want)
			}
			if !row.good {
				checkRefused(t, raw, got, err)
				if cache.Len() != 0 {
					t.Errorf("it is still there: %s", counts(cache))
				}
			}
		})
	}
}

// TestCacheTakesNoForgery: who makes tokens up, by the thousand or by changing a good one, finds no way in, pushes nothing out,
// and is refused the second time as well.
func TestCacheTakesNoForgery(t *testing.T) {
	ring, other, cache := newRing(t), newRing(t), token.NewCache(4)
	raw := mint(t, ring)
	if _, err := cache.Verify(raw, ring, expect); err != nil {
		t.Fatal(err)
	}
	forgeries := []string{
		mint(t, other), raw + "\n", raw + "=", " " + raw, strings.TrimSuffix(raw, raw[len(raw)-1:]), "",
		forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, headerOf(ring, nil), wire(nil)),
		sign(t, ring, nil, map[string]any{"exp": noon.Unix()}), sign(t, ring, nil, map[string]any{"iss": "https://other.example.com"}),
	}
	for i := range 1000 {
		forgeries = append(forgeries, fmt.Sprintf("%s%d", raw, i))
	}
	for range 2 {
		for _, forged := range forgeries {
			got, err := cache.Verify(forged, ring, expect)
			checkRefused(t, forged, got, err)
		}
	}
	if _, err := cache.Verify(raw, ring, expect); err != nil || cache.Hits() != 1 || cache.Len() != 1 {
		t.Errorf("got %v, %s", err, counts(cache))
	}
}

// TestCacheIsBounded: good tokens, used once each, do not grow it, and one that is used all the time stays.
func TestCacheIsBounded(t *testing.T) {
	const size = 32
	ring, cache := newRingFor(t, keyring.AlgorithmEdDSA), token.NewCache(size)
	busy := mint(t, ring)
	for i := range 20 * size {
		once := claims()
		once.ID = fmt.Sprint(i)
		raw, err := token.Mint(issuer, ring, once)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{raw, busy, busy} {
			if _, err := cache.Verify(shown, ring, expect); err != nil {
				t.Fatal(err)
			}
		}
		if cache.Len() > size {
			t.Fatalf("after %d tokens: %s", i, counts(cache))
		}
	}
	if hits := cache.Hits(); hits < 20*size {
		t.Errorf("the busy token was often forgotten: %s", counts(cache))
	}
}

// TestCacheOfMany is for the race detector: many show the same tokens while a key goes.
func TestCacheOfMany(t *testing.T) {
	ring, cache := newRing(t), token.NewCache(2)
	other := newRing(t)
	tokens := []string{mint(t, ring), mint(t, ring), mint(t, ring)}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 50 {
				if _, err := cache.Verify(tokens[(worker+i)%3], ring, expect); err != nil {
					t.Errorf("a good token is refused: %v", err)
				}
				if _, err := cache.Verify(tokens[i%3], other, expect); err == nil {
					t.Error("a token without key is good")
				}
			}
		})
	}
	group.Wait()
}

// TestAllocationsOfAHit holds what every call pays.
func TestAllocationsOfAHit(t *testing.T) {
	ring, cache := newRing(t), token.NewCache(8)
	raw := mint(t, ring)
	if got := testing.AllocsPerRun(100, func() { _, _ = cache.Verify(raw, ring, expect) }); got > 0 {
		t.Errorf("%v allocations, want none", got)
	}
}
