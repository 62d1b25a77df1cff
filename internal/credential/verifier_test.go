// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

// attempt is a secret presented for a client.
type attempt struct {
	client credential.Client
	pepper credential.Pepper
	secret string
}

func TestVerify(t *testing.T) {
	pepper, other := newPepper(t, 1), newPepper(t, 2)
	secret := oauth.NewSecret("secret")
	const uid, id = types.UID("uid"), "acme.orders"
	current := credential.Verifier{Digest: pepper.Digest(uid, id, secret), PepperID: pepper.ID()}
	unrelated := credential.Verifier{Digest: digestOf(pepper, "x"), PepperID: pepper.ID()}
	with := func(verifiers ...credential.Verifier) func(*attempt) {
		return func(a *attempt) { a.client.Verifiers = verifiers }
	}
	until := func(at time.Time) func(*attempt) {
		replaced := current
		replaced.ExpiresAt = at
		return with(unrelated, replaced)
	}
	for _, row := range []struct {
		name   string
		change func(*attempt)
		want   bool
	}{
		{"the current secret is right", with(current), true},
		{"the current secret is right wherever it stands", with(unrelated, current, unrelated), true},
		{"a secret that is there twice is right", with(current, current), true},
		{"a replaced secret is right until the end", until(noon.Add(time.Nanosecond)), true},
		{"a replaced secret is wrong at the end", until(noon), false},
		{"a replaced secret is wrong after the end", until(noon.Add(-time.Second)), false},
		{"nothing is right where nothing verifies", with(), false},
		{"another secret is wrong", func(a *attempt) { a.secret = "Secret" }, false},
		{"an empty secret is wrong", func(a *attempt) { a.secret = "" }, false},
		{"the secret of another incarnation is wrong", func(a *attempt) { a.client.UID = "uid2" }, false},
		{"the secret of another client is wrong", func(a *attempt) { a.client.ID = "acme.stock" }, false},
		{"another pepper verifies nothing", func(a *attempt) { a.pepper = other }, false},
		{"a digest under another pepper's name verifies nothing", with(credential.Verifier{Digest: current.Digest, PepperID: other.ID()}), false},
		{"a digest of another pepper verifies nothing", with(credential.Verifier{Digest: other.Digest(uid, id, secret), PepperID: pepper.ID()}), false},
		{"an empty verifier verifies nothing", with(credential.Verifier{}), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := attempt{pepper: pepper, secret: "secret"}
			a.client = credential.Client{UID: uid, ID: id, Verifiers: credential.Verifiers{current}}
			row.change(&a)
			if _, got := a.client.Verify(a.pepper, oauth.NewSecret(a.secret), noon); got != row.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestKnowsPepper(t *testing.T) {
	one, two := newPepper(t, 1), newPepper(t, 2)
	verifiers := credential.Verifiers{{PepperID: "old"}, {PepperID: one.ID(), ExpiresAt: noon}}
	if !verifiers.KnowsPepper(one) {
		t.Error("the pepper of an expired verifier is not known")
	}
	if verifiers.KnowsPepper(two) || credential.Verifiers(nil).KnowsPepper(one) {
		t.Error("a pepper is known that made no verifier")
	}
}

func TestNextExpiry(t *testing.T) {
	at := func(hours ...int) credential.Verifiers {
		var all credential.Verifiers
		for _, hour := range hours {
			verifier := credential.Verifier{}
			if hour != 0 {
				verifier.ExpiresAt = noon.Add(time.Duration(hour) * time.Hour)
			}
			all = append(all, verifier)
		}
		return all
	}
	for _, row := range []struct {
		name      string
		verifiers credential.Verifiers
		want      time.Time
	}{
		{"nothing expires where there is nothing", nil, time.Time{}},
		{"the current secret does not expire", at(0), time.Time{}},
		{"the only one that expires is next", at(0, 5), noon.Add(5 * time.Hour)},
		{"the earliest is next, wherever it stands", at(0, 9, 3, 7), noon.Add(3 * time.Hour)},
		{"one that has expired is not next: nothing would be done about it", at(0, -1, 4), noon.Add(4 * time.Hour)},
		{"nothing is next where all have expired", at(0, -1, -2), time.Time{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.verifiers.NextExpiry(noon); !got.Equal(row.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestPreviousExpiry(t *testing.T) {
	in := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	current := credential.Verifier{PublishedAt: noon}
	for _, row := range []struct {
		name      string
		verifiers credential.Verifiers
		want      time.Time
	}{
		{"there is none before the first", credential.Verifiers{current}, time.Time{}},
		{"of several, the one that was replaced last lives longest", credential.Verifiers{current, {PublishedAt: noon, ExpiresAt: in(24)}, {PublishedAt: noon, ExpiresAt: in(3)}}, in(24)},
		{"one that nobody ever got does not count", credential.Verifiers{current, {ExpiresAt: in(24)}}, time.Time{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.verifiers.PreviousExpiry(); !got.Equal(row.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestSecretID: tokens name the secret that they were taken with, and die with it where that is asked for.
func TestSecretID(t *testing.T) {
	pepper := newPepper(t, 1)
	current := credential.Verifier{Digest: digestOf(pepper, "current"), PepperID: pepper.ID(), PublishedAt: noon}
	replaced := credential.Verifier{Digest: digestOf(pepper, "replaced"), PepperID: pepper.ID(), ExpiresAt: noon.Add(time.Hour)}
	verifiers := credential.Verifiers{current, replaced}
	for _, row := range []struct {
		name string
		id   string
		at   time.Time
		want bool
	}{
		{"the current secret is there", current.SecretID(), noon, true},
		{"and stays", current.SecretID(), noon.Add(1000 * time.Hour), true},
		{"a replaced secret is there until its end", replaced.SecretID(), noon.Add(time.Hour - 1), true},
		{"and not at its end", replaced.SecretID(), noon.Add(time.Hour), false},
		{"an unknown secret is not there", credential.Verifier{Digest: digestOf(pepper, "x")}.SecretID(), noon, false},
		{"a token without an ID has no secret", "", noon, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := verifiers.HasSecretID(row.id, row.at); got != row.want {
				t.Errorf("got %v", got)
			}
		})
	}
	ended := current
	ended.PublishedAt, ended.ExpiresAt = time.Time{}, noon
	if current.SecretID() == replaced.SecretID() || current.SecretID() != ended.SecretID() {
		t.Error("the ID is not that of the secret alone")
	}
	if digest := (credential.Verifiers{current}).Write()[0].Digest; strings.Contains(digest, current.SecretID()) {
		t.Error("the ID is a part of the digest")
	}
}

func TestVerifiersRoundTrip(t *testing.T) {
	pepper := newPepper(t, 1)
	verifiers := credential.Verifiers{
		{Digest: digestOf(pepper, "a"), PepperID: pepper.ID(), PublishedAt: noon},
		{Digest: digestOf(pepper, "b"), PepperID: pepper.ID(), ExpiresAt: noon},
	}
	written := verifiers.Write()
	if len(written) != 2 || written[0].ExpiresAt != nil || written[1].PublishedAt != nil || !written[1].ExpiresAt.Time.Equal(noon) {
		t.Fatalf("got %v", written)
	}
	for _, entry := range written {
		if len(entry.Digest) != 43 || entry.PepperID != pepper.ID() {
			t.Errorf("got %v", entry)
		}
	}
	if again := credential.ReadVerifiers(written); !slices.Equal(again, verifiers) {
		t.Errorf("got %v, want %v", again, verifiers)
	}
}

func TestReadVerifiersLeavesOutWhatIsMalformed(t *testing.T) {
	good := v1alpha1.SecretVerifier{Digest: strings.Repeat("A", 43), PepperID: "p", ExpiresAt: &metav1.Time{Time: noon}}
	for name, digest := range map[string]string{
		"an empty digest":    "",
		"a shorter digest":   strings.Repeat("A", 42),
		"a longer digest":    strings.Repeat("A", 44),
		"other characters":   strings.Repeat("!", 43),
		"a padded digest":    strings.Repeat("A", 43) + "=",
		"a digest in base64": strings.Repeat("+", 43),
	} {
		t.Run(name, func(t *testing.T) {
			read := credential.ReadVerifiers([]v1alpha1.SecretVerifier{{Digest: digest, PepperID: "p"}, good})
			if want := (credential.Verifiers{{PepperID: "p", ExpiresAt: noon}}); !slices.Equal(read, want) {
				t.Errorf("got %v, want only the well-formed one", read)
			}
		})
	}
}
