// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"errors"
	"io"
	"net/http"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
)

// maxBody bounds the body of a client's request, in bytes.
const maxBody = 64 << 10

// rawRequest reads what a client sent to an endpoint that it authenticates at.
func (a *API) rawRequest(w http.ResponseWriter, r *http.Request) (oauth.RawRequest, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return oauth.RawRequest{}, badBody(err)
	}
	return oauth.RawRequest{
		Source:        a.Proxies.Address(r),
		Query:         r.URL.RawQuery,
		ContentType:   r.Header.Get("Content-Type"),
		Authorization: r.Header.Values("Authorization"),
		Body:          body,
	}, nil
}

// origin says where a request comes from.
func (a *API) origin(r *http.Request) audit.Origin { return audit.OriginOf(r, a.Proxies) }

func badBody(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return oauth.InvalidRequest("the body is larger than %d bytes", tooLarge.Limit)
	}
	return oauth.InvalidRequest("the body could not be read")
}
