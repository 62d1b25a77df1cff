// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/render"
)

const certificate = "-----BEGIN CERTIFICATE-----\n"

// values are those of an account-level credential whose issuer has a private CA.
func values(changes ...func(*render.Values)) render.Values {
	all := render.Values{
		ClientID:     "acme.orders",
		ClientSecret: oauth.NewSecret("clvs_secret"),
		Issuer:       "https://auth.example.com/base",
		TokenURL:     "https://auth.example.com/base/oauth/token",
		Scopes:       oauth.Scopes{"Webhook", "orders.read"},
		AccountID:    "acme-ltd",
		CACert:       certificate,
	}
	for _, change := range changes {
		change(&all)
	}
	return all
}

// golden is what values become without a template.
func golden(changes map[string]string) map[string]string {
	all := map[string]string{
		"type":          "oauth2",
		"provider":      "claviger",
		"client_id":     "acme.orders",
		"client_secret": "clvs_secret",
		"issuer":        "https://auth.example.com/base",
		"token_url":     "https://auth.example.com/base/oauth/token",
		"scope":         "Webhook orders.read",
		"account":       "acme-ltd",
		"ca.crt":        certificate,
	}
	for key, value := range changes {
		if value == "" {
			delete(all, key)
		} else {
			all[key] = value
		}
	}
	return all
}

// TestSecretData is the contract with the workloads that mount the Secret: keys and values to the letter.
func TestSecretData(t *testing.T) {
	for _, row := range []struct {
		name     string
		values   render.Values
		template *v1alpha1.SecretTemplate
		want     map[string]string
	}{
		{name: "an account-level credential", values: values(), want: golden(nil)},
		{
			name: "a console-level credential has no account",
			values: values(func(v *render.Values) {
				v.ClientID, v.Scopes, v.AccountID = "platform.console", oauth.Scopes{"API"}, ""
			}),
			want: golden(map[string]string{"client_id": "platform.console", "scope": "API", "account": ""}),
		},
		{
			name:   "an issuer whose CA is everybody's has no ca.crt",
			values: values(func(v *render.Values) { v.CACert = "" }),
			want:   golden(map[string]string{"ca.crt": ""}),
		},
		{
			name: "keys have the names that the consumer wants, and what is not renamed stays",
			template: &v1alpha1.SecretTemplate{Keys: map[string]v1alpha1.SecretKey{
				"client_id": "clientID", "client_secret": "client-secret", "scope": "scope",
			}},
			values: values(),
			want:   golden(map[string]string{"client_id": "", "client_secret": "", "clientID": "acme.orders", "client-secret": "clvs_secret"}),
		},
		{
			name:     "two keys may change their names with each other",
			template: &v1alpha1.SecretTemplate{Keys: map[string]v1alpha1.SecretKey{"client_id": "account", "account": "client_id"}},
			values:   values(),
			want:     golden(map[string]string{"client_id": "acme-ltd", "account": "acme.orders"}),
		},
		{
			name: "templates add keys",
			template: &v1alpha1.SecretTemplate{Data: map[string]v1alpha1.ValueTemplate{
				".env": "ID={{ .ClientID }}\nSECRET={{ .ClientSecret }}\n", "empty": "",
			}},
			values: values(),
			want:   golden(map[string]string{".env": "ID=acme.orders\nSECRET=clvs_secret\n", "empty": "\x00"}),
		},
		{
			name: "a template may take the name of a key that was renamed",
			template: &v1alpha1.SecretTemplate{
				Keys: map[string]v1alpha1.SecretKey{"scope": "scopes"},
				Data: map[string]v1alpha1.ValueTemplate{"scope": "all"},
			},
			values: values(),
			want:   golden(map[string]string{"scope": "all", "scopes": "Webhook orders.read"}),
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			data, err := render.SecretData(row.values, row.template)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := slices.Sorted(maps.Keys(data)), slices.Sorted(maps.Keys(row.want)); !slices.Equal(got, want) {
				t.Errorf("got the keys %q, want %q", got, want)
			}
			for key, want := range row.want {
				if got := string(data[key]); got != strings.TrimPrefix(want, "\x00") {
					t.Errorf("%s: got %q, want %q", key, got, want)
				}
			}
		})
	}
}

// TestTemplates: what a template can say, and that everything else is a terminal fault that names the key.
func TestTemplates(t *testing.T) {
	const key = "config.yaml"
	for _, row := range []struct {
		name, template, want, fails string
	}{
		{name: "text is text", template: "a } } {b", want: "a } } {b"},
		{
			name: "every value there is", template: "{{.ClientID}}|{{.ClientSecret}}|{{.Issuer}}|{{.TokenURL}}|{{.Scope}}|{{.Account}}|{{.CACert}}",
			want: "acme.orders|clvs_secret|https://auth.example.com/base|https://auth.example.com/base/oauth/token|Webhook orders.read|acme-ltd|" + certificate,
		},
		{name: "blanks are trimmed as in Go", template: "a\n{{- .Account -}}\nb", want: "aacme-ltdb"},
		{name: "a comment is none of the text", template: "a{{/* why */}}b", want: "ab"},
		{name: "a condition on a value that is there", template: "{{ if .Account }}yes{{ else }}no{{ end }}", want: "yes"},
		{name: "a chain of conditions", template: "{{ if .CACert }}{{ if .Account }}both{{ end }}{{ else if .Account }}one{{ end }}", want: "both"},
		{name: "quotes are quotes: nothing is escaped", template: `{"id": "{{ .ClientID }}"}`, want: `{"id": "acme.orders"}`},

		{name: "braces that do not close", template: "{{ .ClientID", fails: "unclosed action"},
		{name: "a condition that does not end", template: "{{ if .Account }}x", fails: "unexpected EOF"},
		{name: "a value that there is none of", template: "{{ .Password }}", fails: "there is no .Password; there are Account, CACert, ClientID"},
		{name: "such a value in the branch that is not taken", template: "{{ if .Account }}x{{ else }}{{ .Password }}{{ end }}", fails: "there is no .Password"},
		{name: "a value of a value", template: "{{ .ClientID.Length }}", fails: "not supported"},
		{name: "everything at once", template: "{{ . }}", fails: "not supported"},
		{name: "a function of Go", template: `{{ printf "%0999999999d" 1 }}`, fails: "printf"},
		{name: "a function of other tools", template: "{{ .ClientID | b64enc }}", fails: "b64enc"},
		{name: "a constant", template: `{{ "x" }}`, fails: "not supported"},
		{name: "a variable", template: "{{ $x := .ClientID }}", fails: "not supported"},
		{name: "a comparison", template: `{{ if eq .Account "acme" }}x{{ end }}`, fails: "eq"},
		{name: "a loop", template: "{{ range .Scope }}x{{ end }}", fails: `"range" is not supported`},
		{name: "a change of scope", template: "{{ with .Scope }}x{{ end }}", fails: `"with" is not supported`},
		{name: "a template of its own", template: `{{ define "x" }}y{{ end }}`, fails: "not supported"},
		{name: "a block", template: `{{ block "x" . }}y{{ end }}`, fails: "not supported"},
		{name: "another template", template: `{{ template "x" }}`, fails: "not supported"},
	} {
		t.Run(row.name, func(t *testing.T) {
			template := &v1alpha1.SecretTemplate{Data: map[string]v1alpha1.ValueTemplate{key: v1alpha1.ValueTemplate(row.template)}}
			data, err := render.SecretData(values(), template)
			if row.fails == "" {
				if got := string(data[key]); err != nil || got != row.want {
					t.Errorf("got %q, %v", got, err)
				}
				return
			}
			expectFault(t, err, key, row.fails)
			if data != nil {
				t.Error("there is data all the same")
			}
		})
	}
}

func expectFault(t *testing.T, err error, says ...string) {
	t.Helper()
	found, ok := fault.As(err)
	if !ok || found.Kind != fault.Terminal || found.Reason != v1alpha1.ReasonInvalidTemplate {
		t.Fatalf("got %v", err)
	}
	for _, want := range says {
		if !strings.Contains(found.Message, want) {
			t.Errorf("%q does not say %q", found.Message, want)
		}
	}
	if strings.Contains(found.Message, "clvs_secret") {
		t.Error("the message holds the client secret")
	}
}

func TestAConditionOnAValueThatIsNotThere(t *testing.T) {
	template := &v1alpha1.SecretTemplate{Data: map[string]v1alpha1.ValueTemplate{"x": "{{ if .Account }}yes{{ else }}no{{ end }}"}}
	data, err := render.SecretData(values(func(v *render.Values) { v.AccountID = "" }), template)
	if err != nil || string(data["x"]) != "no" {
		t.Errorf("got %q, %v", data["x"], err)
	}
}

// TestKeysThatCollide: no value silently takes another's place.
func TestKeysThatCollide(t *testing.T) {
	for _, row := range []struct {
		name, says string
		template   v1alpha1.SecretTemplate
	}{
		{"two keys of one name", "are called id", v1alpha1.SecretTemplate{Keys: map[string]v1alpha1.SecretKey{"client_id": "id", "issuer": "id"}}},
		{"a key of the name of another", "are called scope", v1alpha1.SecretTemplate{Keys: map[string]v1alpha1.SecretKey{"client_id": "scope"}}},
		{"a template of the name of a key", "data: scope is a key", v1alpha1.SecretTemplate{Data: map[string]v1alpha1.ValueTemplate{"scope": "x"}}},
		{"a template of the new name of a key", "data: id is a key", v1alpha1.SecretTemplate{
			Keys: map[string]v1alpha1.SecretKey{"client_id": "id"}, Data: map[string]v1alpha1.ValueTemplate{"id": "x"},
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := render.SecretData(values(), &row.template)
			expectFault(t, err, row.says)
		})
	}
}

// TestTooLarge: a long value that is said often makes no Secret, and costs no memory either.
func TestTooLarge(t *testing.T) {
	long := values(func(v *render.Values) { v.CACert = strings.Repeat("x", 200_000) })
	for name, text := range map[string]string{
		"said often":               strings.Repeat("{{.CACert}}", 744),
		"in the branch not taken":  "{{ if .Account }}{{ else }}" + strings.Repeat("{{.CACert}}", 700) + "{{ end }}",
		"one more than there fits": strings.Repeat("{{.CACert}}", 5),
	} {
		t.Run(name, func(t *testing.T) {
			template := &v1alpha1.SecretTemplate{Data: map[string]v1alpha1.ValueTemplate{"all": v1alpha1.ValueTemplate(text)}}
			_, err := render.SecretData(long, template)
			expectFault(t, err, "data: all", "larger than Kubernetes allows")
		})
	}
	template := &v1alpha1.SecretTemplate{Data: map[string]v1alpha1.ValueTemplate{"all": v1alpha1.ValueTemplate(strings.Repeat("{{.CACert}}", 4))}}
	if data, err := render.SecretData(long, template); err != nil || len(data["all"]) != 800_000 {
		t.Errorf("what fits: %v", err)
	}
}

// TestTemplateOfTheCA: a template's own ca.crt stays what it is on the day the operator is given one.
func TestTemplateOfTheCA(t *testing.T) {
	template := &v1alpha1.SecretTemplate{Data: map[string]v1alpha1.ValueTemplate{"ca.crt": "mine"}}
	data, err := render.SecretData(values(), template)
	if err != nil || string(data["ca.crt"]) != "mine" {
		t.Errorf("got %q, %v", data["ca.crt"], err)
	}
}

// TestSecretDataIsPure: the same values give the same data, and data of its own.
func TestSecretDataIsPure(t *testing.T) {
	first, err := render.SecretData(values(), nil)
	if err != nil {
		t.Fatal(err)
	}
	first["client_id"][0] = 'x'
	if second, err := render.SecretData(values(), nil); err != nil || string(second["client_id"]) != "acme.orders" {
		t.Errorf("got %q, %v", second["client_id"], err)
	}
}

func TestTokenData(t *testing.T) {
	data := render.TokenData(render.Token{
		AccessToken: "header.claims.signature", ExpiresAt: time.Date(2026, 3, 1, 13, 0, 0, 0, time.FixedZone("", 3600)),
		Issuer: "https://auth.example.com", Scopes: oauth.Scopes{"Webhook", "MCP"},
	})
	want := map[string]string{
		"type": "oauth2", "provider": "claviger", "access_token": "header.claims.signature", "token_type": "bearer",
		"expires_at": "2026-03-01T12:00:00Z", "issuer": "https://auth.example.com", "scope": "Webhook MCP",
	}
	for key, value := range want {
		if got := string(data[key]); got != value {
			t.Errorf("%s: got %q, want %q", key, got, value)
		}
	}
	if len(data) != len(want) {
		t.Errorf("got the keys %q", slices.Sorted(maps.Keys(data)))
	}
}

// TestChecksum: it changes with every key and value and with the secret, and never tells it.
func TestChecksum(t *testing.T) {
	data := func(pairs ...string) map[string][]byte {
		all := map[string][]byte{}
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i]] = []byte(pairs[i+1])
		}
		return all
	}
	one, other := []byte("one"), []byte("other")
	sums := map[string]string{
		"the Secret":         render.Checksum(data("a", "b", "c", "d"), one),
		"another value":      render.Checksum(data("a", "b", "c", "e"), one),
		"another key":        render.Checksum(data("a", "b", "e", "d"), one),
		"one key less":       render.Checksum(data("a", "b"), one),
		"bytes that moved":   render.Checksum(data("ab", "", "c", "d"), one),
		"another secret":     render.Checksum(data("a", "b", "c", "d"), other),
		"nothing whatsoever": render.Checksum(nil, one),
	}
	seen := map[string]string{}
	for name, sum := range sums {
		if len(sum) != 32 {
			t.Errorf("%s: got %q", name, sum)
		}
		if twin, found := seen[sum]; found {
			t.Errorf("%s and %s have one checksum", name, twin)
		}
		seen[sum] = name
	}
	for range 20 { // whatever the order in which a map is walked
		if render.Checksum(data("c", "d", "a", "b"), one) != sums["the Secret"] {
			t.Fatal("the checksum of the same data is another")
		}
	}
}
