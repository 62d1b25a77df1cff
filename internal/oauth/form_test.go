// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/leak"
)

func TestContentType(t *testing.T) {
	for _, row := range []struct {
		name        string
		contentType string
		accepted    bool
	}{
		{"the form type is accepted", formType, true},
		{"letter case has no meaning", "Application/X-WWW-Form-URLEncoded", true},
		{"a parameter is accepted", formType + "; charset=UTF-8", true},
		{"a missing type is refused", "", false},
		{"JSON is refused", "application/json", false},
		{"a multipart form is refused", "multipart/form-data; boundary=x", false},
		{"plain text is refused", "text/plain", false},
		{"a type that begins alike is refused", formType + "2", false},
		{"two types are refused", formType + ", " + formType, false},
		{"a malformed parameter is refused", formType + "; charset", false},
		{"a repeated parameter is refused", formType + "; a=1; a=2", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw := post(minimal)
			raw.ContentType = row.contentType
			_, err := oauth.ParseTokenRequest(raw)
			want := oauth.CodeInvalidRequest
			if row.accepted {
				want = ""
			}
			if codeOf(err) != want {
				t.Errorf("got %v, want code %q", err, want)
			}
		})
	}
}

func TestBody(t *testing.T) {
	padded := func(n int) string { return minimal + strings.Repeat("&x", n-3) }
	for _, row := range []struct {
		name    string
		body    string
		refused bool
	}{
		{name: "64 parameters are accepted", body: minimal + strings.Repeat("&resource=", 61)},
		{name: "65 parameters are refused", body: minimal + strings.Repeat("&resource=", 62), refused: true},
		{name: "separators without parameters count", body: padded(3) + strings.Repeat("&", 62), refused: true},
		{name: "a value of 16 KiB is accepted", body: minimal + "&x=" + strings.Repeat("a", 16<<10)},
		{name: "a value of 16 KiB and a byte is refused", body: minimal + "&x=" + strings.Repeat("a", 16<<10+1), refused: true},
		{name: "the length is that of the decoded value", body: minimal + "&x=" + strings.Repeat("%61", 16<<10)},
		{name: "stray separators are forgiven", body: "&" + minimal + "&&"},

		{name: "a repeated client_id is refused", body: minimal + "&client_id=acme.orders", refused: true},
		{name: "a repeated client_secret is refused", body: minimal + "&client_secret=s3cret", refused: true},
		{name: "a repeated grant_type is refused", body: minimal + "&grant_type=client_credentials", refused: true},
		{name: "a repeated scope is refused", body: minimal + "&scope=MCP&scope=Webhook", refused: true},
		{name: "a repetition that is empty is refused too", body: minimal + "&client_id=", refused: true},
		{name: "a repeated unknown parameter is refused", body: minimal + "&x=1&x=2", refused: true},
		{name: "a repetition under another spelling is refused", body: minimal + "&client%5Fid=acme.orders", refused: true},

		{name: "a NUL in a value is refused", body: minimal + "&scope=a%00b", refused: true},
		{name: "a NUL in an unknown parameter is refused", body: minimal + "&x=%00", refused: true},
		{name: "a raw NUL is refused", body: minimal + "&x=\x00", refused: true},
		{name: "a NUL in a name is refused", body: minimal + "&x%00=1", refused: true},
		{name: "invalid UTF-8 in a value is refused", body: minimal + "&x=%ff", refused: true},
		{name: "half a character is refused", body: minimal + "&x=%c3", refused: true},
		{name: "a surrogate is refused", body: minimal + "&x=%ed%a0%80", refused: true},
		{name: "invalid UTF-8 in a name is refused", body: minimal + "&%ff=1", refused: true},
		{name: "UTF-8 beyond ASCII is accepted", body: minimal + "&x=%e2%82%ac"},

		{name: "a semicolon is no separator and is refused", body: minimal + ";scope=MCP", refused: true},
		{name: "a lone semicolon is refused", body: minimal + "&x=a;b", refused: true},
		{name: "an escaped semicolon is accepted", body: minimal + "&x=a%3Bb"},
		{name: "half an escape is refused", body: minimal + "&x=%4", refused: true},
		{name: "an escape that is not hexadecimal is refused", body: minimal + "&x=%zz", refused: true},
		{name: "JSON is refused", body: `{"grant_type":"client_credentials"}`, refused: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := oauth.ParseTokenRequest(post(row.body))
			want := ""
			if row.refused {
				want = oauth.CodeInvalidRequest
			}
			if codeOf(err) != want {
				t.Errorf("got %v, want code %q", err, want)
			}
		})
	}
}

// TestErrorsQuoteNothing: whatever is wrong with a request, the error holds neither its secret nor anything else of it,
// because people paste secrets into the wrong field.
func TestErrorsQuoteNothing(t *testing.T) {
	const grant = "grant_type=client_credentials"
	for name, body := range map[string]string{
		"a malformed escape":      grant + "&client_id=a&client_secret=" + canary + "%zz",
		"a semicolon":             grant + "&client_id=a&client_secret=" + canary + ";",
		"a repeated parameter":    grant + "&client_secret=" + canary + "&client_secret=" + canary,
		"a NUL":                   grant + "&client_secret=" + canary + "%00",
		"a strange name":          grant + "&" + canary + "%ff=x",
		"another grant type":      "grant_type=" + canary,
		"a missing client_id":     grant + "&client_secret=" + canary,
		"a malformed scope":       grant + "&client_id=a&client_secret=" + canary + "&scope=%22" + canary,
		"too many resources":      grant + "&client_id=a&client_secret=b" + strings.Repeat("&resource="+canary, 17),
		"an overlong parameter":   grant + "&client_secret=" + strings.Repeat(canary, 1000),
		"a body that is the name": canary,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := oauth.ParseTokenRequest(post(body))
			if err == nil || leak.Holds(err.Error(), canary) {
				t.Errorf("got %v", err)
			}
		})
	}
}
