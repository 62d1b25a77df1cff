// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
)

// codeOf gives the code of an OAuth error; empty for nil, and the whole text of any other error.
func codeOf(err error) string {
	var failure *oauth.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &failure):
		return failure.Code
	default:
		return err.Error()
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("no such client")
	for _, row := range []struct {
		name    string
		made    *oauth.Error
		code    string
		private error
	}{
		{"invalid_request has no cause", oauth.InvalidRequest("a %s", "b"), "invalid_request", nil},
		{"invalid_grant has no cause", oauth.InvalidGrant("a %s", "b"), "invalid_grant", nil},
		{"invalid_client keeps its cause", oauth.InvalidClient(cause), "invalid_client", cause},
		{"unsupported_grant_type has no cause", oauth.UnsupportedGrantType(), "unsupported_grant_type", nil},
		{"invalid_scope has no cause", oauth.InvalidScope("a %s", "b"), "invalid_scope", nil},
		{"invalid_target has no cause", oauth.InvalidTarget("a %s", "b"), "invalid_target", nil},
		{"invalid_token keeps its cause", oauth.InvalidToken(cause), "invalid_token", cause},
		{"insufficient_scope has no cause", oauth.InsufficientScope("a %s", "b"), "insufficient_scope", nil},
		{"server_error keeps its cause", oauth.ServerError(cause), "server_error", cause},
		{"a missing cause is no cause", oauth.ServerError(nil), "server_error", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.made.Code != row.code || row.made.Description == "" {
				t.Errorf("got code %q, description %q", row.made.Code, row.made.Description)
			}
			if got := errors.Unwrap(row.made); got != row.private { //nolint:errorlint // exactly the cause
				t.Errorf("got cause %v, want %v", got, row.private)
			}
			if row.private != nil && strings.Contains(row.made.Description, row.private.Error()) {
				t.Errorf("the description %q gives the cause away", row.made.Description)
			}
			if row.private != nil && !strings.Contains(row.made.Error(), row.private.Error()) {
				t.Errorf("the text for the log, %q, has no cause", row.made.Error())
			}
		})
	}
}

func TestErrorsAreComparedByCode(t *testing.T) {
	made := fmt.Errorf("answering: %w", oauth.InvalidScope("one text"))
	if !errors.Is(made, oauth.InvalidScope("another text")) {
		t.Error("two errors of one code are not the same")
	}
	for _, other := range []error{oauth.InvalidTarget("one text"), io.EOF} {
		if errors.Is(made, other) {
			t.Errorf("%v is %v", made, other)
		}
	}
	if !errors.Is(oauth.InvalidToken(io.EOF), io.EOF) {
		t.Error("the cause is not in the chain")
	}
}

// TestOneTextForEveryCause: an answer must not tell why a client or a token was refused.
func TestOneTextForEveryCause(t *testing.T) {
	a, b := errors.New("no such client"), errors.New("suspended")
	if oauth.InvalidClient(a).Description != oauth.InvalidClient(b).Description {
		t.Error("invalid_client has more than one text")
	}
	if oauth.InvalidToken(a).Description != oauth.InvalidToken(b).Description {
		t.Error("invalid_token has more than one text")
	}
	if oauth.ServerError(a).Description != oauth.ServerError(b).Description {
		t.Error("server_error has more than one text")
	}
}
