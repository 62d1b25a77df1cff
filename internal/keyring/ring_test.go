// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/keyring"
)

func TestNewRingNeedsAKey(t *testing.T) {
	if ring, err := keyring.NewRing(); err == nil || ring != nil {
		t.Errorf("got %v, %v", ring, err)
	}
}

func TestSigner(t *testing.T) {
	oldest, middle, newest, twin := generate(t, -2), generate(t, -1), generate(t, 0), generate(t, 0)
	waiting := generate(t, 1)
	made := generate(t, 1)
	made.SignFrom = noon.Add(-30 * time.Minute)
	for _, row := range []struct {
		name string
		keys []keyring.Key
		want keyring.Key
	}{
		{"the only key signs", []keyring.Key{oldest}, oldest},
		{"the newest signs where it comes first", []keyring.Key{newest, middle, oldest}, newest},
		{"the newest signs where it comes last", []keyring.Key{oldest, middle, newest}, newest},
		{"the newest signs where it comes between", []keyring.Key{oldest, newest, middle}, newest},
		{"of two that are as new, the first signs", []keyring.Key{oldest, newest, twin}, newest},
		{"one whose time has not come does not sign", []keyring.Key{waiting, middle, oldest}, middle},
		{"one signs from its very second", []keyring.Key{middle, newest}, newest},
		{"where no time has come, the first to come signs", []keyring.Key{generate(t, 2), waiting, generate(t, 3)}, waiting},
		{"the only key signs before its time", []keyring.Key{waiting}, waiting},
		{"when a key was made does not matter", []keyring.Key{made, middle}, made},
	} {
		t.Run(row.name, func(t *testing.T) {
			given := slices.Clone(row.keys)
			ring := newRing(t, row.keys...)
			if got := ring.Signer(noon); got.ID != row.want.ID {
				t.Errorf("got the key of %v", got.SignFrom)
			}
			for i, key := range row.keys {
				if key.ID != given[i].ID {
					t.Error("the caller's slice was sorted")
				}
				if found, ok := ring.Lookup(key.ID); !ok || found.ID != key.ID {
					t.Errorf("the key of %v is not found", key.CreatedAt)
				}
			}
		})
	}
}

// TestSwitch: the same ring changes its signer as time goes by, and nobody writes anything.
func TestSwitch(t *testing.T) {
	before, after := generate(t, -1), generate(t, 1)
	ring := newRing(t, before, after)
	for _, row := range []struct {
		name string
		now  time.Time
		want keyring.Key
	}{
		{"before any", noon.Add(-2 * time.Hour), before},
		{"a second before the switch", noon.Add(time.Hour - time.Second), before},
		{"at the switch", noon.Add(time.Hour), after},
		{"after it", noon.Add(1000 * time.Hour), after},
	} {
		if got := ring.Signer(row.now); got.ID != row.want.ID {
			t.Errorf("%s: got the key of %v", row.name, got.SignFrom)
		}
	}
}

func TestLookupOfAnUnknownKey(t *testing.T) {
	ring := newRing(t, generate(t, 0))
	for _, id := range []string{"", generate(t, 0).ID, strings.ToUpper(ring.Signer(noon).ID), ring.Signer(noon).ID[:42]} {
		if key, ok := ring.Lookup(id); ok || key.ID != "" {
			t.Errorf("%q: got %q", id, key.ID)
		}
	}
}

// TestRingIsImmutable: a caller that changes its keys afterwards does not change the ring.
func TestRingIsImmutable(t *testing.T) {
	keys := []keyring.Key{generate(t, 0), generate(t, -1)}
	ring := newRing(t, keys...)
	signer := ring.Signer(noon).ID
	keys[0], keys[1] = generate(t, 1), generate(t, 2)
	if ring.Signer(noon).ID != signer {
		t.Error("the ring has another signer")
	}
}

// TestJWKSIsPublic: every key is published, newest first, and nothing of the private half is.
func TestJWKSIsPublic(t *testing.T) {
	old, young := generate(t, -1), generate(t, 0)
	ring := newRing(t, old, young)
	set, err := jwks(ring)
	if err != nil {
		t.Fatal(err)
	}
	if len(set) != 2 || set[0]["kid"] != young.ID || set[1]["kid"] != old.ID {
		t.Fatalf("got %s", ring.JWKS())
	}
	for _, key := range set {
		members := slices.Sorted(maps.Keys(key))
		if !slices.Equal(members, []string{"alg", "crv", "kid", "kty", "use", "x", "y"}) {
			t.Errorf("got the members %q", members)
		}
		if key["alg"] != "ES256" || key["crv"] != "P-256" || key["kty"] != "EC" || key["use"] != "sig" {
			t.Errorf("got %v", key)
		}
	}
}

func TestJWKSOfAKnownKey(t *testing.T) {
	ring, err := keyring.Decode(stored(t, rfcJWK(nil)))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"keys":[{"use":"sig","kty":"EC","kid":"` + rfcThumbprint + `","crv":"P-256","alg":"ES256","x":"` + rfcX + `","y":"` + rfcY + `"}]}`
	if got := string(ring.JWKS()); got != want {
		t.Errorf("got %s", got)
	}
}
