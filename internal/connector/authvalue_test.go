// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/test/leak"
)

const authValue = `{"AccessToken":"access-token-in-clear","RefreshToken":"refresh-token-in-clear","Expires":"2021-10-01T00:00:00Z","RefreshExpires":"2022-10-01T02:00:00+02:00"}`

func TestParseAuthValue(t *testing.T) {
	for _, row := range []struct {
		name, text      string
		access, refresh string
		expires         string
		// wrong is in the error.
		wrong string
	}{
		{name: "all of it", text: authValue, access: "access-token-in-clear", refresh: "refresh-token-in-clear", expires: "2021-10-01T00:00:00Z"},
		{name: "nothing: the tokens shall be obtained", text: "{}"},
		{name: "blanks and line breaks", text: " {\n}\n"},
		{name: "an access token alone", text: `{"AccessToken":"a"}`, access: "a"},
		{name: "a refresh token alone", text: `{"RefreshToken":"r"}`, refresh: "r"},

		{name: "no text", text: "", wrong: "no JSON object"},
		{name: "no JSON", text: "token", wrong: "no JSON object"},
		{name: "a string", text: `"{}"`, wrong: "no JSON object"},
		{name: "an array", text: `[{}]`, wrong: "no JSON object"},
		{name: "null", text: `null`, wrong: "no JSON object"},
		{name: "cut short", text: `{"AccessToken":"a"`, wrong: "no JSON object"},
		{name: "two objects", text: `{}{}`, wrong: "stands behind"},
		{name: "an unknown key", text: `{"AccessToken":"a","Token":"b"}`, wrong: "the key Token"},
		{name: "a key in another case", text: `{"accessToken":"a"}`, wrong: "the key accessToken"},
		{name: "a key that may be a secret", text: `{"eyJhbGciOiJFUzI1NiJ9.secret":"a"}`, wrong: "not quoted"},
		{name: "a key twice", text: `{"AccessToken":"a","AccessToken":"b"}`, wrong: "AccessToken: a key comes twice"},
		{name: "a number", text: `{"AccessToken":1}`, wrong: "AccessToken is no string"},
		{name: "null in place of a token", text: `{"RefreshToken":null}`, wrong: "RefreshToken is no string"},
		{name: "an empty token", text: `{"AccessToken":""}`, wrong: "AccessToken is empty"},
		{name: "a date that is none", text: `{"AccessToken":"a","Expires":"tomorrow"}`, wrong: "Expires is no time"},
		{name: "a day that is none", text: `{"RefreshToken":"a","RefreshExpires":"2021-02-30T00:00:00Z"}`, wrong: "RefreshExpires is no time"},
		{name: "a year of five digits in another zone", text: `{"AccessToken":"a","Expires":"9999-12-31T23:59:59-12:00"}`, wrong: "Expires is no time"},
		{name: "a year before the first", text: `{"RefreshToken":"a","RefreshExpires":"0001-01-01T00:00:00+12:00"}`, wrong: "RefreshExpires is no time"},
		{name: "the time that means nothing", text: `{"AccessToken":"a","Expires":"0001-01-01T00:00:00Z"}`, wrong: "Expires is no time"},
		{name: "a date without a token", text: `{"RefreshToken":"r","Expires":"2021-10-01T00:00:00Z"}`, wrong: "Expires speaks of an AccessToken"},
		{name: "a date without a refresh token", text: `{"AccessToken":"a","RefreshExpires":"2021-10-01T00:00:00Z"}`, wrong: "RefreshExpires speaks of a RefreshToken"},
		{name: "too much", text: `{"AccessToken":"` + strings.Repeat("a", connector.MaxAuthValue) + `"}`, wrong: "bytes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			value, err := connector.ParseAuthValue([]byte(row.text))
			if row.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), row.wrong) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || value.AccessToken.Reveal() != row.access || value.RefreshToken.Reveal() != row.refresh {
				t.Errorf("got %q, %q, %v", value.AccessToken.Reveal(), value.RefreshToken.Reveal(), err)
			}
			if value.Empty() != (row.access+row.refresh == "") {
				t.Errorf("empty: %v", value.Empty())
			}
			if row.expires != "" && value.Expires.Format(time.RFC3339) != row.expires {
				t.Errorf("expires %s", value.Expires)
			}
		})
	}
}

// TestAnAuthValueIsKnownByItsContent: the same text is imported once, another one again.
func TestAnAuthValueIsKnownByItsContent(t *testing.T) {
	fingerprint := func(text string) string {
		value, err := connector.ParseAuthValue([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return value.Fingerprint
	}
	if again := fingerprint(strings.Clone(authValue)); fingerprint(authValue) != again || again == fingerprint("{}") || fingerprint("{}") == "" {
		t.Error("the fingerprint does not tell contents apart")
	}
}

// FuzzParseAuthValue: whatever comes, no error quotes it, and what is accepted is what a record can keep.
func FuzzParseAuthValue(f *testing.F) {
	f.Add(authValue)
	f.Add("{}")
	f.Add(`{"AccessToken":"a","Expires":"2021-10-01T00:00:00Z"}`)
	f.Add(`{"AccessToken":"a","AccessToken":"b"}`)
	f.Add(`{"secret-secret-secret":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		value, err := connector.ParseAuthValue([]byte(text))
		if err != nil {
			if leak.Quotes(strings.ReplaceAll(err.Error(), "RefreshExpires", ""), text) {
				t.Errorf("%v quotes %q", err, text)
			}
			return
		}
		record := connector.Record{}.Import(value, connector.Behaviour{}, "client", epoch)
		encoded, err := record.Encode()
		if err != nil {
			t.Skip("a year that JSON cannot write")
		}
		decoded, err := connector.Decode(encoded)
		if err != nil || decoded.AccessToken.Reveal() != strings.ToValidUTF8(value.AccessToken.Reveal(), "\ufffd") {
			t.Errorf("%q became %q, %v", value.AccessToken.Reveal(), decoded.AccessToken.Reveal(), err)
		}
	})
}
