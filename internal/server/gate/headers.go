// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"net/http"
	"strings"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/server/oauthapi"
)

// folded gives a header's name as the least careful of upstreams reads it. CGI and what descends from it (WSGI, PHP, Rack)
// make one variable of X-Claviger-Account, X_Claviger_Account and x.claviger.account, so all of them are one name here.
func folded(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		default:
			return '-'
		}
	}, name)
}

var foldedPrefix = folded(oauthapi.HeaderPrefix)

// isIdentity reports whether a header is one that only the gate may set: who calls.
func isIdentity(folded string) bool { return strings.HasPrefix(folded, foldedPrefix) }

// isForwarded reports whether a header is one that only a proxy may set: where a call came from.
func isForwarded(folded string) bool {
	return strings.HasPrefix(folded, "x-forwarded-") || folded == "forwarded" || folded == "x-real-ip"
}

// stripHeaders takes from a caller's headers what the gate has to say, in every spelling. A trusted proxy may say where a call
// came from.
func (g *Gate) stripHeaders(header http.Header, trusted bool) {
	account := folded(g.AccountHeader)
	for name := range header {
		plain := folded(name)
		switch {
		case isIdentity(plain), plain == account,
			isForwarded(plain) && (!trusted || !strings.EqualFold(plain, name)),
			plain == "authorization" && !g.Upstream.ForwardAuthorization:
			delete(header, name)
		}
	}
}

// stripTrailers takes from a caller's trailers what must not come in by the back door: some upstreams merge them into headers.
func (g *Gate) stripTrailers(trailer http.Header) {
	account := folded(g.AccountHeader)
	for name := range trailer {
		if plain := folded(name); isIdentity(plain) || isForwarded(plain) || plain == account || plain == "authorization" {
			delete(trailer, name)
		}
	}
}

// setIdentity says who calls, in the headers of /verify. All four are always there.
func setIdentity(header http.Header, access issuer.Access) {
	for _, said := range (oauthapi.Verdict{Access: access}).Headers() {
		header.Set(said.Name, said.Value)
	}
}
