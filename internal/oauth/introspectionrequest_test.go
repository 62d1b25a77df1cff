// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"testing"

	"github.com/claviger/claviger/internal/oauth"
)

// TestParseIntrospectionRequest: the form is that of a revocation request, whose test has the rows.
func TestParseIntrospectionRequest(t *testing.T) {
	for _, row := range []struct {
		name        string
		raw         oauth.RawRequest
		token, code string
	}{
		{"the least request is accepted", post(minimalRevocation), "a.b.c", ""},
		{"a hint is ignored, also one that nobody knows", post(minimalRevocation + "&token_type_hint=%22"), "a.b.c", ""},
		{"nobody may ask without being a client", post("token=a.b.c"), "", oauth.CodeInvalidClient},
		{"a client ID alone is nobody", post("token=a.b.c&client_id=acme.orders"), "", oauth.CodeInvalidClient},
		{"a missing token is malformed", post("client_id=acme.orders&client_secret=s3cret"), "", oauth.CodeInvalidRequest},
		{"a token in the URL is refused", oauth.RawRequest{Query: "token=a.b.c", ContentType: formType, Body: []byte(minimalRevocation)}, "", oauth.CodeInvalidRequest},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := oauth.ParseIntrospectionRequest(row.raw)
			if codeOf(err) != row.code || got.Token != row.token {
				t.Fatalf("got the token %q, %v; want code %q", got.Token, err, row.code)
			}
		})
	}
}
