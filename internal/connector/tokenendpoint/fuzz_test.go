// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"net/http"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/leak"
)

// FuzzJudge: whatever a provider answers, it is called refused only with a status that goes with it, tokens are such as may stand in
// a header, and nothing of it is quoted.
func FuzzJudge(f *testing.F) {
	for _, body := range []string{
		`{"access_token":"a","refresh_token":"r","token_type":"bearer","expires_in":3600,"scope":"a b"}`, `{"access_token":"a","expires_in":"-1e999"}`,
		`{"authed_user":{"access_token":"a","refresh_expires_in":1}}`, "access_token=a&expires_in=1&scope=b%2Cc", "access_token=a&access_token=b",
		`{"error":"invalid_grant","error_description":"0123456789abcdef"}`, `{"ok":false,"error":"invalid_refresh_token"}`, "error=bad_refresh_token",
		`{"error":{"code":190}}`, `{"error":"temporarily_unavailable"}`, "\xef\xbb\xbf{}", "", "null", "[]", "<html>", `{"access_token":"a\n"}`, `{"a":{"a":{"a":`,
	} {
		for _, status := range []int{200, 307, 400, 401, 429, 500, 503} {
			f.Add(status, []byte(body), "authed_user", "120")
			f.Add(status, []byte(body), "", "Sun, 01 Mar 2026 12:00:00 GMT")
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, path, after string) {
		r := reply{status: status, header: http.Header{"Retry-After": {after}}, body: body}
		answer := r.judge(path, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		checkTokens(t, answer)
		if answer.RetryAfter < 0 || answer.RetryAfter > maxRetryAfter || leak.Quotes(answer.Why, string(body)) {
			t.Errorf("got %+v", answer)
		}
		switch answer.Outcome {
		case connector.Granted:
			if status/100 != 2 || answer.Code != "" || answer.Why != "" {
				t.Errorf("%d is taken for a success: %+v", status, answer)
			}
		case connector.GrantRefused, connector.ClientRefused:
			if (status/100 != 2 && status/100 != 4) || status == 429 || answer.Code == "" || (answer.Outcome == connector.GrantRefused) != (answer.Code == oauth.CodeInvalidGrant) {
				t.Errorf("%d is taken for a refusal: %+v", status, answer)
			}
		case connector.Busy, connector.Unclear:
			if answer.Why == "" {
				t.Errorf("it does not say why: %+v", answer)
			}
		default:
			t.Errorf("it was sent: %+v", answer)
		}
	})
}

func checkTokens(t *testing.T, answer connector.Answer) {
	t.Helper()
	tokens := answer.Tokens
	access, refresh := tokens.Access.Reveal(), tokens.Refresh.Reveal()
	if (answer.Outcome == connector.Granted) != (access != "") || (access == "" && refresh != "") {
		t.Errorf("outcome %d has %q and %q", answer.Outcome, access, refresh)
	}
	if (tokens.Type != "") != (access != "") || len(tokens.Type) > maxType {
		t.Errorf("type %q", tokens.Type)
	}
	for _, text := range []string{access, refresh, tokens.Type, tokens.Scope} {
		if len(text) > maxToken || !printable(text) {
			t.Errorf("got %q", text)
		}
	}
	for _, lifetime := range []time.Duration{tokens.Lifetime, tokens.RefreshLifetime} {
		if lifetime < 0 || lifetime > maxLifetime {
			t.Errorf("got %v", lifetime)
		}
	}
}
