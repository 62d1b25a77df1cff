// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/leak"
)

func full() connector.Record {
	return connector.Record{
		Generation: 7, AccessToken: oauth.NewSecret("access-token-in-clear"), RefreshToken: oauth.NewSecret("refresh-token-in-clear"),
		TokenType: "Bearer", Scope: "crm.read", IssuedAt: epoch, ExpiresAt: epoch.Add(time.Hour), RefreshExpiresAt: epoch.Add(time.Hour * 24),
		RefreshLife:  time.Hour * 24,
		AuthorizedAt: epoch.Add(-time.Hour), ClientFingerprint: "client", Imported: "imported",
		Intent: &connector.Intent{
			Attempt: "attempt", Holder: "replica-0", StartedAt: epoch.Add(time.Minute), RefreshTokenFingerprint: "fingerprint", Recoveries: 2,
		},
		Reauthorize:   &connector.Reauthorize{Reason: "invalid_grant", At: epoch},
		Misconfigured: &connector.Misconfigured{Code: "invalid_client", At: epoch, Configuration: "configuration"},
	}
}

// plain gives a record with secrets that can be compared.
func plain(r connector.Record) (connector.Record, [2]string) {
	secrets := [2]string{r.AccessToken.Reveal(), r.RefreshToken.Reveal()}
	r.AccessToken, r.RefreshToken = oauth.Secret{}, oauth.Secret{}
	return r, secrets
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	for name, record := range map[string]connector.Record{"one that has everything": full(), "one that has nothing": {}} {
		t.Run(name, func(t *testing.T) {
			text, err := record.Encode()
			if err != nil {
				t.Fatal(err)
			}
			read, err := connector.Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			got, gotSecrets := plain(read)
			want, wantSecrets := plain(record)
			if !reflect.DeepEqual(got, want) || gotSecrets != wantSecrets {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestTheDocument is what docs/refresh-protocol.md says that it is: other versions read it.
func TestTheDocument(t *testing.T) {
	text, err := full().Encode()
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"generation", "accessToken", "refreshToken", "tokenType", "scope", "issuedAt", "expiresAt", "refreshExpiresAt", "refreshLife", "authorizedAt",
		"clientFingerprint", "imported", "intent", "reauthorize", "misconfigured",
	} {
		if _, there := fields[name]; !there {
			t.Errorf("there is no %s", name)
		}
		delete(fields, name)
	}
	if len(fields) > 0 {
		t.Errorf("there is more: %v", fields)
	}
}

func TestADamagedRecordIsNoRecord(t *testing.T) {
	for _, text := range []string{"x", "[]", `{"generation":"1"}`, `{"generation":-1}`, `{"generation":1,"intent":{}}`, `{"generation":1,"expiresAt":"soon"}`} {
		if record, err := connector.Decode([]byte(text)); err == nil {
			t.Errorf("%s is %+v", text, record)
		}
	}
}

// TestARecordPrintsNoToken, whatever prints it.
func TestARecordPrintsNoToken(t *testing.T) {
	record := full()
	asJSON, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", record, record, record), string(asJSON)} {
		for _, secret := range []string{"access-token-in-clear", "refresh-token-in-clear"} {
			if leak.Holds(text, secret) {
				t.Errorf("a token is in %d bytes of text", len(text))
			}
		}
	}
}

func TestTokensThatAreGiven(t *testing.T) {
	tokens := func(change func(*connector.Tokens)) connector.Tokens {
		given := connector.Tokens{Access: oauth.NewSecret("a2"), Refresh: oauth.NewSecret("r2"), Type: "Bearer", Lifetime: time.Hour}
		change(&given)
		return given
	}
	now := epoch.Add(time.Minute)
	for _, row := range []struct {
		name      string
		behaviour connector.Behaviour
		tokens    connector.Tokens
		holds     func(connector.Record) bool
	}{
		{
			name: "a grant of a user replaces all that was", tokens: tokens(func(*connector.Tokens) {}),
			holds: func(r connector.Record) bool {
				return r.Generation == 8 && r.Intent == nil && r.Reauthorize == nil && r.Misconfigured == nil && r.Scope == "" &&
					r.AuthorizedAt.Equal(now) && r.ExpiresAt.Equal(now.Add(time.Hour)) && r.RefreshToken.Reveal() == "r2" && r.Imported == "imported"
			},
		},
		{
			name: "a lifetime that the provider does not say is assumed", behaviour: connector.Behaviour{AssumedLifetime: 2 * time.Hour},
			tokens: tokens(func(t *connector.Tokens) { t.Lifetime = 0 }),
			holds:  func(r connector.Record) bool { return r.ExpiresAt.Equal(now.Add(2 * time.Hour)) },
		},
		{
			name: "or else nobody knows it, and the token is not taken for expired", tokens: tokens(func(t *connector.Tokens) { t.Lifetime = 0 }),
			holds: func(r connector.Record) bool { return r.ExpiresAt.IsZero() && r.Live(now.Add(10000*time.Hour)) },
		},
		{
			name: "the end of the refresh token is noted", tokens: tokens(func(t *connector.Tokens) { t.RefreshLifetime = 48 * time.Hour }),
			holds: func(r connector.Record) bool { return r.RefreshExpiresAt.Equal(now.Add(48 * time.Hour)) },
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if record := full().Authorize(connector.SignIn{Tokens: row.tokens, User: "jane", Client: "client", At: now}, row.behaviour); !row.holds(record) {
				t.Errorf("got %+v", record)
			}
		})
	}
}

func TestAnImportReplacesAllThatWas(t *testing.T) {
	value, err := connector.ParseAuthValue([]byte(authValue))
	if err != nil {
		t.Fatal(err)
	}
	record := full().Import(value, connector.Behaviour{}, "client-2", epoch)
	if record.Generation != 8 || record.Intent != nil || record.Reauthorize != nil || record.RefreshToken.Reveal() != "refresh-token-in-clear" ||
		record.Imported != "imported" || record.ClientFingerprint != "client-2" || !record.ExpiresAt.Equal(value.Expires) {
		t.Errorf("got %+v", record)
	}
}
