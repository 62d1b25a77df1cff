// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/render"
)

// TestSecretData is the contract with the workloads that mount the Secret: keys and values to the letter.
func TestSecretData(t *testing.T) {
	values := func(change func(*render.Values)) render.Values {
		all := render.Values{
			ClientID:     "acme.orders",
			ClientSecret: oauth.NewClientSecret("clvs_secret"),
			Issuer:       "https://auth.example.com/base",
			TokenURL:     "https://auth.example.com/base/oauth/token",
			Scopes:       oauth.Scopes{"Webhook", "orders.read"},
			AccountID:    "acme-ltd",
		}
		change(&all)
		return all
	}
	for _, row := range []struct {
		name   string
		values render.Values
		want   map[string]string
	}{
		{
			name:   "an account-level credential",
			values: values(func(*render.Values) {}),
			want: map[string]string{
				"type":          "oauth2",
				"provider":      "claviger",
				"client_id":     "acme.orders",
				"client_secret": "clvs_secret",
				"issuer":        "https://auth.example.com/base",
				"token_url":     "https://auth.example.com/base/oauth/token",
				"scope":         "Webhook orders.read",
				"account":       "acme-ltd",
			},
		},
		{
			name: "a console-level credential has no account",
			values: values(func(v *render.Values) {
				v.ClientID, v.Scopes, v.AccountID = "platform.console", oauth.Scopes{"API"}, ""
			}),
			want: map[string]string{
				"type":          "oauth2",
				"provider":      "claviger",
				"client_id":     "platform.console",
				"client_secret": "clvs_secret",
				"issuer":        "https://auth.example.com/base",
				"token_url":     "https://auth.example.com/base/oauth/token",
				"scope":         "API",
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			data := render.SecretData(row.values)
			if got, want := slices.Sorted(maps.Keys(data)), slices.Sorted(maps.Keys(row.want)); !slices.Equal(got, want) {
				t.Errorf("got the keys %q, want %q", got, want)
			}
			for key, want := range row.want {
				if got := string(data[key]); got != want {
					t.Errorf("%s: got %q, want %q", key, got, want)
				}
			}
		})
	}
}

// TestSecretDataIsPure: the same values give the same data, and data of its own.
func TestSecretDataIsPure(t *testing.T) {
	values := render.Values{ClientID: "a", Scopes: oauth.Scopes{"API"}}
	first := render.SecretData(values)
	first["client_id"][0] = 'x'
	if got := string(render.SecretData(values)["client_id"]); got != "a" {
		t.Errorf("got %q", got)
	}
}
