// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/claviger/claviger/internal/server/respond"
)

//go:embed assets
var files embed.FS

// mediaTypes are those of the assets, by the ends of their names.
var mediaTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

// Assets serves the style and the scripts. A name has the hash of what it names, and may be kept for ever.
//
// While replicas are being updated, a page of one version asks another version for its assets. It is given those that there are, not
// to be kept: a page without its script would never tell its opener.
func (s *Site) Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		named, below := strings.CutPrefix(r.URL.Path, s.prefix)
		name, ending := plain(named)
		body, err := files.ReadFile("assets/" + name)
		if !below || err != nil {
			http.NotFound(w, r)
			return
		}
		kept := respond.CacheControl
		if named == hashed(name, body) {
			kept = "public, max-age=31536000, immutable"
		}
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		respond.Document(w, r, respond.Cacheable{Type: mediaTypes[ending], CacheControl: kept, Body: body})
	})
}

// path is where an asset is served.
func (s *Site) path(name string) (string, error) {
	body, err := files.ReadFile("assets/" + name)
	if err != nil {
		return "", fmt.Errorf("finding an asset: %w", err)
	}
	return s.prefix + hashed(name, body), nil
}

// hashed gives name.css the name name.<hash>.css.
func hashed(name string, body []byte) string {
	sum := sha256.Sum256(body)
	ending := path.Ext(name)
	return strings.TrimSuffix(name, ending) + "." + hex.EncodeToString(sum[:8]) + ending
}

// plain undoes hashed, whatever the hash is.
func plain(named string) (name, ending string) {
	ending = path.Ext(named)
	stem := strings.TrimSuffix(named, ending)
	return strings.TrimSuffix(stem, path.Ext(stem)) + ending, ending
}
