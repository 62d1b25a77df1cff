// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"encoding/json"
	"net/http"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/respond"
)

// metadataCacheControl lets clients keep the metadata for five minutes. It changes when a server is configured anew or
// upgraded, and what it says of the one before goes on working for longer than that.
const metadataCacheControl = "public, max-age=300"

// Metadata publishes what describes the server (RFC 8414 section 3.2, OpenID Connect Discovery 1.0 section 4.2).
func Metadata(metadata oauth.Metadata) http.HandlerFunc {
	body, err := json.Marshal(metadata)
	return func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			respond.TokenError(w, oauth.ServerError(err))
			return
		}
		respond.Document(w, r, respond.Cacheable{Type: "application/json", CacheControl: metadataCacheControl, Body: body})
	}
}
