// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/leak"
)

func TestPepperCodec(t *testing.T) {
	data, err := credential.GeneratePepper(bytes.NewReader(sequence()))
	if err != nil {
		t.Fatal(err)
	}
	if keys := slices.Collect(maps.Keys(data)); !slices.Equal(keys, []string{"pepper"}) || !bytes.Equal(data["pepper"], sequence()) {
		t.Errorf("got data %v", data)
	}
	pepper, err := credential.DecodePepper(data)
	if err != nil {
		t.Fatal(err)
	}
	// The ID is stored in every verifier, so it must never change.
	if pepper.ID() != "1255d8be9b173536" {
		t.Errorf("got ID %q", pepper.ID())
	}
	if other := newPepper(t, 2); other.ID() == pepper.ID() {
		t.Error("two peppers have one ID")
	}
}

func TestGeneratePepperNeedsRandomness(t *testing.T) {
	if data, err := credential.GeneratePepper(brokenRandomness()); !errors.Is(err, errNoRandomness) || data != nil {
		t.Errorf("got %v, %v", data, err)
	}
}

func TestDecodePepperRefuses(t *testing.T) {
	for name, data := range map[string]map[string][]byte{
		"no data":          nil,
		"another key":      {"salt": sequence()},
		"an empty pepper":  {"pepper": {}},
		"a shorter pepper": {"pepper": sequence()[1:]},
		"a longer pepper":  {"pepper": append(sequence(), 32)},
	} {
		t.Run(name, func(t *testing.T) {
			if pepper, err := credential.DecodePepper(data); err == nil || pepper.ID() != "" {
				t.Errorf("got %q, %v", pepper.ID(), err)
			}
		})
	}
}

// TestDigest pins down the digest: those in the status of objects must stay valid.
func TestDigest(t *testing.T) {
	pepper, err := credential.DecodePepper(map[string][]byte{"pepper": sequence()})
	if err != nil {
		t.Fatal(err)
	}
	digest := pepper.Digest("3f0a", "acme.orders", oauth.NewSecret("hunter2"))
	if got := base64.RawURLEncoding.EncodeToString(digest[:]); got != "GLR-VBbjc0rJDhybHxnLDmTVPWOZZJOktsIMPsrIckc" {
		t.Errorf("got %q", got)
	}
}

// TestDigestsDiffer: a digest differs as soon as one of its inputs does, and also where only the boundary between two
// inputs moves.
func TestDigestsDiffer(t *testing.T) {
	one, two := newPepper(t, 1), newPepper(t, 2)
	inputs := []struct {
		name         string
		pepper       credential.Pepper
		uid          types.UID
		id, secret   string
		sameAsBefore bool
	}{
		{name: "the first", pepper: one, uid: "uid", id: "acme.orders", secret: "secret"},
		{name: "the same again", pepper: one, uid: "uid", id: "acme.orders", secret: "secret", sameAsBefore: true},
		{name: "another pepper", pepper: two, uid: "uid", id: "acme.orders", secret: "secret"},
		{name: "another UID", pepper: one, uid: "uie", id: "acme.orders", secret: "secret"},
		{name: "another client ID", pepper: one, uid: "uid", id: "acme.ordert", secret: "secret"},
		{name: "another secret", pepper: one, uid: "uid", id: "acme.orders", secret: "secreu"},
		{name: "a boundary between UID and ID that moved left", pepper: one, uid: "ui", id: "dacme.orders", secret: "secret"},
		{name: "a boundary between UID and ID that moved right", pepper: one, uid: "uida", id: "cme.orders", secret: "secret"},
		{name: "a boundary between ID and secret that moved left", pepper: one, uid: "uid", id: "acme.order", secret: "ssecret"},
		{name: "a boundary between ID and secret that moved right", pepper: one, uid: "uid", id: "acme.orderss", secret: "ecret"},
		{name: "everything in the UID", pepper: one, uid: "uidacme.orderssecret"},
		{name: "everything in the secret", pepper: one, secret: "uidacme.orderssecret"},
		{name: "fields swapped", pepper: one, uid: "acme.orders", id: "uid", secret: "secret"},
		{name: "nothing", pepper: one},
		{name: "a NUL", pepper: one, secret: "\x00"},
	}
	seen := map[credential.Digest]string{}
	for _, input := range inputs {
		digest := input.pepper.Digest(input.uid, input.id, oauth.NewSecret(input.secret))
		before, found := seen[digest]
		if found != input.sameAsBefore {
			t.Errorf("%s: has the digest of %q", input.name, before)
		}
		seen[digest] = input.name
	}
}

func FuzzDecodePepper(f *testing.F) {
	for _, seed := range [][]byte{nil, {}, sequence(), sequence()[1:], append(sequence(), 0), make([]byte, 32)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key []byte) {
		pepper, err := credential.DecodePepper(map[string][]byte{"pepper": key})
		if (err == nil) != (len(key) == 32) {
			t.Fatalf("%d bytes: got %v", len(key), err)
		}
		if err != nil {
			if leak.Quotes(err.Error(), string(key)) {
				t.Fatalf("the error quotes the pepper: %v", err)
			}
			return
		}
		if len(pepper.ID()) != 16 || leak.Holds(pepper.ID(), string(key)) {
			t.Fatalf("got ID %q", pepper.ID())
		}
		if digestOf(pepper, "a") == digestOf(pepper, "b") {
			t.Fatal("two secrets have one digest")
		}
	})
}
