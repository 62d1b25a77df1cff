// SPDX-License-Identifier: Apache-2.0

package strictjson_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/strictjson"
)

func TestStrings(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       map[string]string
		err        string
	}{
		{"an object", `{"A":"1","b":"2"}`, map[string]string{"A": "1", "b": "2"}, ""},
		{"an empty one", ` { } `, map[string]string{}, ""},
		{"an empty value", `{"A":""}`, map[string]string{"A": ""}, ""},
		{"two cases of one name, which are two names", `{"A":"1","a":"2"}`, map[string]string{"A": "1", "a": "2"}, ""},
		{"escapes", `{"A":"\u00e9\n\"{}"}`, map[string]string{"A": "é\n\"{}"}, ""},
		{"an escaped name", `{"\u0041":"1"}`, map[string]string{"A": "1"}, ""},
		{"nothing", ``, nil, "no JSON object"},
		{"blanks", `  `, nil, "no JSON object"},
		{"a word", `x`, nil, "no JSON object"},
		{"a string", `"{}"`, nil, "no JSON object"},
		{"a list", `[{"A":"1"}]`, nil, "no JSON object"},
		{"null", `null`, nil, "no JSON object"},
		{"half of one", `{"A":"1"`, nil, "no JSON object"},
		{"a name alone", `{"A"}`, nil, "no JSON object"},
		{"a comma too many", `{"A":"1",}`, nil, "no JSON object"},
		{"half a value", `{"A":"1`, nil, "no JSON object"},
		{"a number", `{"A":1}`, nil, "A is no string"},
		{"null as a value", `{"A":null}`, nil, "A is no string"},
		{"an object as a value", `{"A":{"B":"1"}}`, nil, "A is no string"},
		{"a list as a value", `{"A":["1"]}`, nil, "A is no string"},
		{"a name twice", `{"A":"1","A":"1"}`, nil, "A: a key comes twice"},
		{"a name twice, once escaped", `{"A":"1","\u0041":"2"}`, nil, "A: a key comes twice"},
		{"another object behind it", `{"A":"1"}{}`, nil, "behind"},
		{"anything behind it", `{"A":"1"} x`, nil, "behind"},
		{"a bracket too many", `{"A":"1"}}`, nil, "behind"},
		{"deep nesting", strings.Repeat(`{"A":`, 20000), nil, "no JSON object"},
		{"a secret for a name", `{"clvs_sEcReT-1":1}`, nil, "a key that is not quoted here is no string"},
		{"a secret for a name, twice", `{"sEcReT1":"","sEcReT1":""}`, nil, "a key that is not quoted here: a key comes twice"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := strictjson.Strings([]byte(row.text))
			if !maps.Equal(got, row.want) || (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
				t.Fatalf("got %v, %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "sEcReT") {
				t.Errorf("it quotes: %v", err)
			}
		})
	}
}

func TestErrorsAreToldApart(t *testing.T) {
	for text, want := range map[string]error{`x`: strictjson.ErrNoObject, `{"A":"","A":""}`: strictjson.ErrTwice, `{} {}`: strictjson.ErrBehind} {
		if _, err := strictjson.Strings([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzStrings: whatever is taken is what encoding/json reads, and nothing that is refused is quoted.
func FuzzStrings(f *testing.F) {
	for _, text := range []string{`{"A":"1","b":"2"}`, `{"A":"1","A":"2"}`, `{"A":"1"} x`, `{"A":1}`, "{\"\xff\":\"\xff\"}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := strictjson.Strings([]byte(text))
		if err != nil {
			return
		}
		var want map[string]string
		if err := json.Unmarshal([]byte(text), &want); err != nil || !maps.Equal(got, want) {
			t.Errorf("%q: got %q, want %q, %v", text, got, want, err)
		}
	})
}

func TestNamed(t *testing.T) {
	for key, want := range map[string]string{
		"AccessToken": "AccessToken", "expires_in": "expires_in",
		"": "a key that is not quoted here", "a b": "a key that is not quoted here", "token1": "a key that is not quoted here",
		strings.Repeat("a", 25): "a key that is not quoted here", "é": "a key that is not quoted here",
	} {
		if got := strictjson.Named(key); got != want {
			t.Errorf("%q is called %q", key, got)
		}
	}
}
