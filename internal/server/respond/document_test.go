// SPDX-License-Identifier: Apache-2.0

package respond_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/claviger/claviger/internal/server/respond"
)

func TestDocument(t *testing.T) {
	fetch := func(method, etag, body string) answer {
		request := httptest.NewRequest(method, "/", http.NoBody)
		if etag != "" {
			request.Header.Set("If-None-Match", etag)
		}
		return record(func(w http.ResponseWriter) {
			respond.Document(w, request, respond.Cacheable{Type: "application/json", CacheControl: "public, max-age=300", Body: []byte(body)})
		})
	}
	first := fetch(http.MethodGet, "", "{}")
	etag := first.header.Get("ETag")
	header := map[string]string{
		"Content-Type": "application/json", "Cache-Control": "public, max-age=300", "Content-Length": "2", "Etag": etag, "Accept-Ranges": "bytes",
	}
	kept := map[string]string{"Cache-Control": "public, max-age=300", "Etag": etag}
	for _, row := range []struct {
		name   string
		got    answer
		status int
		header map[string]string
		body   string
	}{
		{"GET gives it", first, 200, header, "{}"},
		{"HEAD gives its headers", fetch(http.MethodHead, "", "{}"), 200, header, ""},
		{"who has it already is told so", fetch(http.MethodGet, etag, "{}"), 304, kept, ""},
		{"a cache may have weakened the tag", fetch(http.MethodGet, "W/"+etag, "{}"), 304, kept, ""},
		{"who has another one is given it", fetch(http.MethodGet, `"other"`, "{}"), 200, header, "{}"},
		{
			"other methods are refused", fetch(http.MethodPost, "", "{}"), 405, with("Allow", "GET, HEAD"),
			`{"error":"invalid_request","error_description":"method not allowed; use GET, HEAD"}`,
		},
	} {
		t.Run(row.name, func(t *testing.T) { row.got.check(t, row.status, row.header, row.body) })
	}
	if other := fetch(http.MethodGet, etag, "[]"); other.status != 200 || other.body != "[]" {
		t.Errorf("a document that has changed: got %d %s", other.status, other.body)
	}
}
