// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

type answers struct {
	status int
	body   string
}

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func TestContact(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name, method, path string
		answer             answers
		resource           string
		heard              bool
	}{
		{"a list", "GET", "/apis/claviger.dev/v1alpha1/clientcredentials", answers{200, "{}"}, "clientcredentials", true},
		{"a watch", "GET", "/apis/claviger.dev/v1alpha1/accounts?watch=true", answers{200, "{}"}, "accounts", true},
		{"a list in a namespace", "GET", "/apis/claviger.dev/v1alpha1/namespaces/system/revokedtokens", answers{200, "{}"}, "revokedtokens", true},
		{"a list of the core", "GET", "/api/v1/namespaces", answers{200, "{}"}, "namespaces", true},
		{
			"one object by its name", "GET", "/api/v1/namespaces/system/secrets?fieldSelector=metadata.name%3Dclaviger-pepper&watch=true",
			answers{200, "{}"},
			"secrets/claviger-pepper", true,
		},
		{"a watch on which nothing has come yet", "GET", "/api/v1/namespaces?watch=true", answers{200, ""}, "namespaces", false},
		{"a refusal", "GET", "/api/v1/namespaces", answers{403, "{}"}, "namespaces", false},
		{"an object", "GET", "/api/v1/namespaces/system", answers{200, "{}"}, "", false},
		{"an object in a namespace", "GET", "/api/v1/namespaces/system/secrets/x", answers{200, "{}"}, "", false},
		{"a write", "POST", "/apis/claviger.dev/v1alpha1/namespaces/system/revokedtokens", answers{200, "{}"}, "", false},
		{"discovery", "GET", "/apis/claviger.dev/v1alpha1", answers{200, "{}"}, "", false},
		{"the version", "GET", "/version", answers{200, "{}"}, "", false},
		{"nothing", "GET", "/", answers{200, "{}"}, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			now := noon
			contact := &Contact{Now: func() time.Time { return now }}
			request, err := http.NewRequest(row.method, "https://api"+row.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := contact.Wrap(row.answer).RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			now = noon.Add(time.Minute)
			if _, err := io.Copy(io.Discard, response.Body); err != nil || response.Body.Close() != nil {
				t.Fatal(err)
			}
			last := contact.Last()
			if row.resource == "" {
				if len(last) > 0 {
					t.Errorf("noted %v", last)
				}
				return
			}
			want := noon
			if row.heard {
				want = now
			}
			if at, known := last[row.resource]; len(last) != 1 || !known || !at.Equal(want) {
				t.Errorf("noted %v", last)
			}
		})
	}
}
