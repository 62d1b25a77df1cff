// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"encoding/json"
	"net/http"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/respond"
)

// resourceCacheControl lets clients keep the metadata of a place for a minute: it can be edited, and closed, at any time.
const resourceCacheControl = "public, max-age=60"

// ProtectedResource publishes what describes a registered place: GET /.well-known/oauth-protected-resource/{namespace}/{name}
// (RFC 9728 section 3). One that there is not, or that is closed, is 404.
func (a *API) ProtectedResource(w http.ResponseWriter, r *http.Request) {
	metadata, found, err := a.Issuer.ResourceMetadata(r.PathValue("namespace") + "/" + r.PathValue("name"))
	if err != nil {
		respond.TokenError(w, err)
		return
	}
	if !found {
		http.NotFound(w, r)
		return
	}
	body, err := json.Marshal(metadata)
	if err != nil {
		respond.TokenError(w, oauth.ServerError(err))
		return
	}
	respond.Document(w, r, respond.Cacheable{Type: respond.ContentType, CacheControl: resourceCacheControl, Body: body})
}
