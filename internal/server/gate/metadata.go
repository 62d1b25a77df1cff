// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/respond"
)

// metadataCacheControl lets clients keep the document for a while.
const metadataCacheControl = "public, max-age=300"

// Resource is what the gate guards, as its callers know it.
type Resource struct {
	// metadataURL is where callers find the document.
	metadataURL string
	// paths are those on which the gate serves it: where section 3.1 puts it and, for clients that look only there, at the root.
	paths    map[string]bool
	document respond.Cacheable
}

// NewResource makes what callers are told of a resource (RFC 9728 section 2).
func NewResource(metadata oauth.ResourceMetadata) (*Resource, error) {
	identifier := metadata.Resource
	if _, err := oauth.CanonicalResource(identifier); err != nil {
		return nil, err
	}
	parsed, err := url.Parse(identifier)
	if err != nil {
		return nil, fmt.Errorf("reading a resource identifier: %w", err)
	}
	body, err := json.Marshal(metadata)
	if err != nil {
		return nil, fmt.Errorf("describing a resource: %w", err)
	}
	path := oauth.PathResourceMetadata + strings.TrimSuffix(parsed.EscapedPath(), "/")
	where := parsed.Scheme + "://" + parsed.Host + path
	if parsed.RawQuery != "" {
		where += "?" + parsed.RawQuery
	}
	return &Resource{
		metadataURL: where,
		paths:       map[string]bool{path: true, path + "/": true, oauth.PathResourceMetadata: true},
		document:    respond.Cacheable{Type: "application/json", CacheControl: metadataCacheControl, Body: body},
	}, nil
}

// has reports whether a path is one of the document's.
func (r *Resource) has(path string) bool { return r != nil && r.paths[path] }

// serve answers with the document. Scripts of any origin may read it: it is public, and how a client in a browser finds out where
// to take a token.
func (r *Resource) serve(w http.ResponseWriter, request *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if isPreflight(request) {
		w.Header().Set("Access-Control-Allow-Methods", "GET, HEAD")
		w.Header().Set("Access-Control-Allow-Headers", "*")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	respond.Document(w, request, r.document)
}

// refuse gives a refusal that says where the document is (RFC 9728 section 5.1).
func (r *Resource) refuse(err error, needed oauth.Scopes) respond.Refusal {
	if r == nil {
		return respond.Refuse(err, needed)
	}
	return respond.RefuseAt(err, needed, r.metadataURL)
}
