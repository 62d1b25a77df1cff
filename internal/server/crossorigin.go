// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"

	"github.com/rs/cors"
)

// preflightMaxAge is how long a browser may keep what a preflight said, in seconds.
const preflightMaxAge = 600

// public lets scripts of every origin read what everybody may: keys and metadata. Validators and MCP clients run in browsers too,
// and these documents hold nothing that depends on who asks.
func public(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"*"},
		AllowedMethods: []string{http.MethodGet, http.MethodHead},
		AllowedHeaders: []string{"*"}, // MCP clients send MCP-Protocol-Version
		MaxAge:         preflightMaxAge,
	}).Handler(next)
}

// shared lets scripts of the origins named call an endpoint that takes secrets. Without one it is as if there were no CORS: the
// browser keeps the answer from the script. Cookies are never allowed, as there are none.
func (a Access) shared(next http.Handler) http.Handler {
	if len(a.Origins) == 0 {
		return next // the library would take no origin for all
	}
	return cors.New(cors.Options{
		AllowedOrigins: a.Origins,
		AllowedMethods: []string{http.MethodPost},
		AllowedHeaders: []string{"Authorization", "Content-Type", "Traceparent", "Tracestate"},
		ExposedHeaders: []string{"Retry-After", "WWW-Authenticate"},
		MaxAge:         preflightMaxAge,
	}).Handler(next)
}

// nobody lets no script of another origin read the answer: it is a page for people.
func nobody(next http.Handler) http.Handler { return next }
