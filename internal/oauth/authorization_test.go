// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
)

// TestRefuseAuthorization: RFC 6749 section 4.1.2.1, where nobody can be sent back.
func TestRefuseAuthorization(t *testing.T) {
	for _, row := range []struct{ name, query, code string }{
		{"an empty request lacks a response type", "", oauth.CodeInvalidRequest},
		{"a response type without a value is left out", "response_type=&client_id=canary", oauth.CodeInvalidRequest},
		{"a code without a client is malformed", "response_type=code", oauth.CodeInvalidRequest},
		{"a query that does not decode is malformed", "response_type=%zz", oauth.CodeInvalidRequest},
		{"a repeated parameter is malformed", "response_type=code&response_type=code&client_id=canary", oauth.CodeInvalidRequest},
		{"a token is not to be had", "response_type=token&client_id=canary", oauth.CodeUnsupportedResponseType},
		{"an ID token is not to be had", "response_type=code+id_token&client_id=canary", oauth.CodeUnsupportedResponseType},
		{"a code is for no client", "response_type=code&client_id=canary&redirect_uri=https%3A%2F%2Fcanary.example", oauth.CodeUnauthorizedClient},
		{"resources may be repeated", "response_type=code&client_id=canary&resource=a&resource=b", oauth.CodeUnauthorizedClient},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := oauth.RefuseAuthorization(row.query)
			if got.Code != row.code || got.Description == "" {
				t.Errorf("got %v", got)
			}
			if strings.Contains(got.Error(), "canary") {
				t.Errorf("the error holds what was sent: %v", got)
			}
		})
	}
}
