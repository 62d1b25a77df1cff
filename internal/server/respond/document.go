// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"
)

// Cacheable is a public document that clients fetch again and again.
type Cacheable struct {
	// Type is the media type.
	Type string
	// CacheControl says for how long it may be kept.
	CacheControl string
	Body         []byte
}

// Document answers GET and HEAD with a document, and with 304 who has it already (RFC 9110 section 13.1.2). Other methods
// are 405.
func Document(w http.ResponseWriter, r *http.Request, document Cacheable) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		MethodNotAllowed(w, "GET, HEAD")
		return
	}
	sum := sha256.Sum256(document.Body)
	w.Header().Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	w.Header().Set("Cache-Control", document.CacheControl)
	w.Header().Set("Content-Type", document.Type)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(document.Body))
}
