// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"net/http"
	"strings"
)

// PathVerifyEnvoy is what the paths of VerifyEnvoy begin with.
const PathVerifyEnvoy = "/verify/envoy/"

// VerifyEnvoy is Verify for Envoy and what is built on it, which append the path and the query of the call to a fixed prefix
// (path_prefix of its HTTP ext_authz): any method on /verify/envoy/<guard>//... The guard, in the syntax of Verify's query, comes
// before anything that the caller chose.
func (a *API) VerifyEnvoy(w http.ResponseWriter, r *http.Request) {
	a.Judge(a.CallOf(r, prefixGuard(r.RequestURI))).write(w)
}

// prefixGuard takes the guard from a request target as it was sent, for decoding could move its end. A slash of the gateway's own
// must close it: the caller's path begins with another, so that two follow each other. Where they do not, because the prefix is
// misconfigured or the call has no path, there is no guard, which admits nobody.
func prefixGuard(target string) string {
	guard, rest, _ := strings.Cut(strings.TrimPrefix(target, PathVerifyEnvoy), "/")
	if !strings.HasPrefix(rest, "/") {
		return ""
	}
	return guard
}
