// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/test/leak"
)

func TestRoundTrip(t *testing.T) {
	old, young := generate(t, -1), generate(t, 0)
	old.RemoveAfter, old.MaxTokenLifetime = noon.Add(time.Hour), 90*time.Minute
	young.SignFrom, young.ResetAfter = noon.Add(time.Minute), noon.Add(time.Hour)
	data, err := keyring.Document{Keys: []keyring.Key{old, young}, Rotation: "2026-q1"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if keys := slices.Collect(maps.Keys(data)); !slices.Equal(keys, []string{"keys.json"}) {
		t.Errorf("got the keys %q", keys)
	}
	ring, err := keyring.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if ring.Signer(young.SignFrom).ID != young.ID || string(ring.JWKS()) != string(newRing(t, old, young).JWKS()) {
		t.Errorf("got %s", ring.JWKS())
	}
	document, err := keyring.DecodeDocument(data)
	if err != nil || document.Rotation != "2026-q1" {
		t.Errorf("got %q, %v", document.Rotation, err)
	}
	for i, want := range []keyring.Key{old, young} {
		got, ok := ring.Lookup(want.ID)
		if !ok || got.Algorithm != want.Algorithm || !got.Private().(*ecdsa.PrivateKey).Equal(want.Private()) {
			t.Errorf("got %v, want %v", got.ID, want.ID)
		}
		if describe(document.Keys[i]) != describe(want) {
			t.Errorf("got %s, want %s", describe(document.Keys[i]), describe(want))
		}
	}
}

// describe gives all of a key but its halves.
func describe(key keyring.Key) string {
	return fmt.Sprint(key.ID, key.Algorithm, key.CreatedAt, key.SignFrom, key.MaxTokenLifetime, key.RemoveAfter, key.ResetAfter)
}

// TestDocumentOfBeforeRotation: what was written before keys rotated is read as it was meant.
func TestDocumentOfBeforeRotation(t *testing.T) {
	document, err := keyring.DecodeDocument(stored(t, rfcJWK(nil)))
	if err != nil {
		t.Fatal(err)
	}
	key := document.Keys[0]
	if !key.CreatedAt.Equal(noon) || !key.SignFrom.Equal(noon) {
		t.Errorf("it signs from %v", key.SignFrom)
	}
	if key.MaxTokenLifetime != 0 || !key.RemoveAfter.IsZero() || !key.ResetAfter.IsZero() || document.Rotation != "" {
		t.Errorf("got %s, %q", describe(key), document.Rotation)
	}
}

// TestOtherJOSELibrariesReadIt: the stored form is a private JWK and nothing of our own.
func TestOtherJOSELibrariesReadIt(t *testing.T) {
	data, err := keyring.Encode(generate(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Keys []struct {
			CreatedAt string            `json:"createdAt"`
			SignFrom  string            `json:"signFrom"`
			JWK       map[string]string `json:"jwk"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(data["keys.json"], &document); err != nil {
		t.Fatal(err)
	}
	if got := document.Keys[0]; got.CreatedAt != "2026-03-01T12:00:00Z" || got.SignFrom != got.CreatedAt {
		t.Errorf("got %q, %q", got.CreatedAt, got.SignFrom)
	}
	members := slices.Sorted(maps.Keys(document.Keys[0].JWK))
	if !slices.Equal(members, []string{"alg", "crv", "d", "kid", "kty", "use", "x", "y"}) {
		t.Errorf("got the members %q", members)
	}
}

func TestDecode(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := jose.JSONWebKey{Key: other, Algorithm: "ES256"}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	document := func(text string) map[string][]byte { return map[string][]byte{"keys.json": []byte(text)} }
	without := func(member string) map[string][]byte { return stored(t, rfcJWK(map[string]any{member: nil})) }
	with := func(member string, value any) map[string][]byte {
		return stored(t, rfcJWK(map[string]any{member: value}))
	}
	good := string(stored(t, rfcJWK(nil))["keys.json"])
	lasting := func(lifetime string) map[string][]byte {
		return document(strings.Replace(good, `"createdAt"`, `"maxTokenLifetime":`+lifetime+`,"createdAt"`, 1))
	}
	for _, row := range []struct {
		name     string
		data     map[string][]byte
		accepted bool
	}{
		{name: "a key is accepted", data: stored(t, rfcJWK(nil)), accepted: true},
		{name: "the stored kid has no meaning", data: with("kid", "something else"), accepted: true},
		{name: "a kid may be missing", data: without("kid"), accepted: true},
		{name: "a bound of lifetimes is accepted", data: lasting(`"24h"`), accepted: true},
		{name: "members that are unknown are ignored", data: with("note", "x"), accepted: true},

		{name: "no data is refused"},
		{name: "another key of the Secret is refused", data: map[string][]byte{"tls.key": []byte(good)}},
		{name: "an empty document is refused", data: document("")},
		{name: "a document without keys is refused", data: document(`{}`)},
		{name: "an empty list is refused", data: document(`{"keys":[]}`)},
		{name: "null is refused", data: document(`null`)},
		{name: "a list is refused", data: document(`[` + good + `]`)},
		{name: "a document that was cut off is refused", data: document(good[:len(good)-1])},
		{name: "two documents are refused", data: document(good + good)},
		{name: "PEM is refused", data: document("-----BEGIN PRIVATE KEY-----")},
		{name: "a record without a key is refused", data: document(`{"keys":[{"createdAt":"2026-03-01T12:00:00Z"}]}`)},
		{name: "a malformed time is refused", data: document(strings.Replace(good, "2026-03-01", "yesterday", 1))},
		{name: "a malformed bound of lifetimes is refused", data: lasting(`"a day"`)},
		{name: "a negative bound of lifetimes is refused", data: lasting(`"-24h"`)},
		{name: "a public key is refused", data: without("d")},
		{name: "a key without a coordinate is refused", data: without("y")},
		{name: "a point off the curve is refused", data: with("y", rfcX)},
		{name: "a private half of another key is refused", data: with("d", "A"+rfcD[1:])},
		{name: "a private half of zero is refused", data: with("d", strings.Repeat("A", 43))},
		{name: "a private half beyond the order of the curve is refused", data: with("d", strings.Repeat("_", 42)+"8")},
		{name: "a private half that was cut off is refused", data: with("d", rfcD[:20])},
		{name: "a key without an algorithm is refused", data: without("alg")},
		{name: "another algorithm is refused", data: with("alg", "ES384")},
		{name: "a symmetric key is refused", data: stored(t, map[string]any{"kty": "oct", "k": rfcD, "alg": "ES256"})},
		{name: "an unknown key type is refused", data: with("kty", "XX")},
		{name: "a key on another curve is refused", data: document(`{"keys":[{"createdAt":"2026-03-01T12:00:00Z","jwk":` + string(p384) + `}]}`)},
		{name: "one bad key among good ones is refused", data: stored(t, rfcJWK(nil), rfcJWK(map[string]any{"d": nil}))},
	} {
		t.Run(row.name, func(t *testing.T) {
			ring, err := keyring.Decode(row.data)
			if (err == nil) != row.accepted || (ring != nil) != row.accepted {
				t.Fatalf("got %v, %v", ring, err)
			}
			if row.accepted {
				if ring.Signer(noon).ID != rfcThumbprint {
					t.Errorf("got the key %q", ring.Signer(noon).ID)
				}
				return
			}
			for _, raw := range row.data {
				if leak.Quotes(err.Error(), string(raw)) {
					t.Errorf("the error quotes what it read: %v", err)
				}
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	good := `{"keys":[{"createdAt":"2026-03-01T12:00:00Z","jwk":{"kty":"EC","crv":"P-256","alg":"ES256","x":"` + rfcX + `","y":"` + rfcY + `","d":"` + rfcD + `"}}]}`
	for _, seed := range []string{
		good, good[:100], "", "null", "{}", `{"keys":[{}]}`, `{"keys":null}`,
		`{"keys":[{"createdAt":"2026-03-01T12:00:00Z","jwk":{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}`,
		strings.Replace(good, rfcD, rfcX, 1), strings.Replace(good, "P-256", "P-521", 1), strings.Replace(good, "EC", "RSA", 1),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		ring, err := keyring.Decode(map[string][]byte{"keys.json": raw})
		if err != nil {
			if ring != nil || leak.Quotes(err.Error(), string(raw)) {
				t.Fatalf("got %v, %v", ring, err)
			}
			return
		}
		key := ring.Signer(noon)
		sign(t, key)
		set, err := jwks(ring)
		if err != nil || len(set) == 0 || set[0]["kid"] != key.ID {
			t.Fatalf("got %s, %v", ring.JWKS(), err)
		}
		for _, published := range set {
			if _, private := published["d"]; private {
				t.Fatalf("the private half is published: %s", ring.JWKS())
			}
		}
	})
}
