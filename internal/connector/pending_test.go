// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/oauth"
)

func aPending() connector.Pending {
	return connector.Pending{
		SignIn: connector.SignIn{
			Tokens: connector.Tokens{
				Access: oauth.NewSecret("access"), Refresh: oauth.NewSecret("refresh"), Type: "Bearer", Scope: "a b",
				Lifetime: time.Hour, RefreshLifetime: 24 * time.Hour,
			},
			User: "jane", Client: "client", At: time.Date(2026, 11, 27, 8, 0, 0, 123456789, time.UTC),
		},
		CodeHash: connector.HashCode(oauth.NewSecret("code")),
	}
}

// revealed gives every field as text, the secrets in clear.
func revealed(p connector.Pending) []string {
	return []string{
		p.Tokens.Access.Reveal(), p.Tokens.Refresh.Reveal(), p.Tokens.Type, p.Tokens.Scope, p.Tokens.Lifetime.String(), p.Tokens.RefreshLifetime.String(),
		p.User, p.Client, p.At.Format(time.RFC3339Nano), p.CodeHash,
	}
}

func TestPendingSurvivesItsDocument(t *testing.T) {
	bare := connector.Pending{CodeHash: "hash", SignIn: connector.SignIn{
		Tokens: connector.Tokens{Access: oauth.NewSecret("access")}, Client: "client", At: aPending().At,
	}}
	for what, pending := range map[string]connector.Pending{"with everything": aPending(), "with as little as there may be": bare} {
		t.Run(what, func(t *testing.T) {
			text, err := pending.Encode()
			if err != nil {
				t.Fatal(err)
			}
			read, err := connector.DecodePending(text)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := revealed(*read), revealed(pending); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestDecodePending(t *testing.T) {
	if pending, err := connector.DecodePending(nil); pending != nil || err != nil {
		t.Errorf("nothing is %+v, %v", pending, err)
	}
	for _, text := range []string{"x", "{}", "[]", `"x"`, `{"accessToken":"a"}`, `{"codeHash":1}`, `{"codeHash":"h","at":"tomorrow"}`} {
		if pending, err := connector.DecodePending([]byte(text)); pending != nil || !errors.Is(err, connector.ErrDamaged) {
			t.Errorf("%s is %+v, %v", text, pending, err)
		}
	}
}

func TestPendingConfirms(t *testing.T) {
	pending := aPending()
	for code, want := range map[string]bool{"code": true, "Code": false, "": false, "codes": false, strings.Repeat("code", 1000): false, pending.CodeHash: false} {
		if got := pending.Confirms(oauth.NewSecret(code)); got != want {
			t.Errorf("%q: %v", code, got)
		}
	}
}

func TestPendingExpires(t *testing.T) {
	pending := aPending()
	for after, want := range map[time.Duration]bool{-time.Hour: false, 0: false, connector.ConfirmWithin - 1: false, connector.ConfirmWithin: true, time.Hour: true} {
		if got := pending.Expired(pending.At.Add(after)); got != want {
			t.Errorf("after %s: %v", after, got)
		}
	}
}

func TestChangeIsEmpty(t *testing.T) {
	if !(connector.Change{}).Empty() {
		t.Error("no change is one")
	}
	for what, change := range map[string]connector.Change{
		"a record": {Record: &connector.Record{}}, "properties": {Properties: map[string]string{}}, "a pending sign-in": {Pending: &connector.Pending{}},
		"none any more": {DropPending: true},
	} {
		if change.Empty() {
			t.Errorf("%s is no change", what)
		}
	}
}
