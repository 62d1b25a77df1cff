// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/server/connectapi/pages"
)

// assets are what the pages load.
func assets(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	for _, made := range []page{anOffer(offer()), aCompletion(completion()), aFailure(pages.Failure{})} {
		body := write(http.MethodGet, made).Body.String()
		for _, link := range append(attributes(strings.NewReader(body), "href"), attributes(strings.NewReader(body), "src")...) {
			found[link] = true
		}
	}
	delete(found, "data:,")
	var list []string
	for link := range found {
		list = append(list, link)
	}
	if len(list) != 3 {
		t.Fatalf("the pages load %q, want a style and two scripts", list)
	}
	return list
}

func TestAssets(t *testing.T) {
	fetch := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		pages.New(prefix).Assets().ServeHTTP(w, httptest.NewRequest(method, path, http.NoBody))
		return w
	}
	const forever, never = "public, max-age=31536000, immutable", "no-store"
	for _, link := range assets(t) {
		name := strings.Split(strings.TrimPrefix(link, prefix), ".")
		other := prefix + name[0] + ".0000000000000000." + name[2]
		for _, row := range []struct {
			name, method, path, kept string
			status                   int
		}{
			{"what a page loads is kept for ever", http.MethodGet, link, forever, 200},
			{"HEAD says so", http.MethodHead, link, forever, 200},
			{"what a page of another version loads is there, and not kept", http.MethodGet, other, never, 200},
			{"other methods are refused", http.MethodPost, link, never, 405},
		} {
			t.Run(row.name, func(t *testing.T) {
				got := fetch(row.method, row.path)
				if got.Code != row.status || got.Header().Get("Cache-Control") != row.kept {
					t.Errorf("%s %s: got %d, %q", row.method, row.path, got.Code, got.Header().Get("Cache-Control"))
				}
				if got.Header().Get("X-Content-Type-Options") != "nosniff" || got.Header().Get("Cross-Origin-Resource-Policy") != "same-origin" {
					t.Errorf("%s %s: got headers %v", row.method, row.path, got.Header())
				}
				if kind := got.Header().Get("Content-Type"); row.status == 200 && !strings.HasPrefix(kind, map[string]string{"css": "text/css", "js": "text/javascript"}[name[2]]) {
					t.Errorf("%s: got type %q", row.path, kind)
				}
			})
		}
	}
	for _, path := range []string{prefix, prefix + "style", prefix + "other.0.css", prefix + "../pages.0.go", "/style.0.css", prefix + "x/style.0.css", prefix + "."} {
		if got := fetch(http.MethodGet, path); got.Code != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, got.Code)
		}
	}
}
