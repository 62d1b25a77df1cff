// SPDX-License-Identifier: Apache-2.0

package oauth

import "net/netip"

// RawRequest is what a request of a client to an endpoint brought, as it came.
type RawRequest struct {
	// Source is the address that the request comes from; the zero value where it is not known.
	Source netip.Addr
	// Query is the undecoded query string.
	Query string
	// ContentType is the value of that header.
	ContentType string
	// Authorization holds every value of that header.
	Authorization []string
	// Body is the whole body; the caller has bounded it.
	Body []byte
}

// form reads the parameters. A query string is refused: what is there is in an access log. It fails with invalid_request.
func (r RawRequest) form() (form, error) {
	if r.Query != "" {
		return nil, InvalidRequest("parameters belong in the body, not in the URL")
	}
	return parseForm(r.ContentType, r.Body)
}
