// SPDX-License-Identifier: Apache-2.0

package tokenendpoint_test

import (
	"testing"

	"github.com/claviger/claviger/internal/connector"
)

// TestWhoIsAway: a host that says so with its status, and none whose answer is only wrong: that may be one account's alone.
func TestWhoIsAway(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		body   string
		want   bool
	}{
		{"a failure", 500, "", true},
		{"a gateway without its host", 502, "<html>", true},
		{"a host that says in OAuth that it is busy", 400, `{"error":"temporarily_unavailable"}`, false},
		{"too many requests", 429, "", false},
		{"a refusal", 400, `{"error":"invalid_grant"}`, false},
		{"a page that is not there", 404, "<html>", false},
		{"an answer without tokens", 200, "<html>", false},
		{"a redirect", 307, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			provider := newProvider(t, says(row.status, asJSON, row.body))
			if answer := provider.client().Do(t.Context(), refresh(provider.URL)); answer.Away != row.want || answer.Outcome == connector.Granted {
				t.Errorf("got %+v", answer)
			}
		})
	}
	t.Run("a request that cannot be made", func(t *testing.T) {
		if answer := (&provider{}).client().Do(t.Context(), refresh("https://exa mple.com")); answer.Away || answer.Outcome != connector.NotSent {
			t.Errorf("got %+v", answer)
		}
	})
}
