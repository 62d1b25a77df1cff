// SPDX-License-Identifier: Apache-2.0

// Package tokenendpoint makes token requests to providers (RFC 6749 sections 4.1.3, 4.4.2 and 6), and says what is known afterwards.
// A request is sent once, whatever happens, and is never guessed about: it is Granted, refused or not sent only where that is
// certain, and else Unclear. docs/refresh-protocol.md tells what follows from each.
package tokenendpoint

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/egress"
	"github.com/claviger/claviger/internal/outbound"
)

const (
	// maxBody bounds an answer, in bytes.
	maxBody = 128 << 10
	// userAgent is required by some providers, and net/http's own is refused by some.
	userAgent = "Claviger"
)

// Client makes token requests. It is safe for concurrent use, if Random is.
type Client struct {
	// HTTP sends the requests. Each takes connector.RequestTimeout at most, or the timeout of this one where it is shorter.
	HTTP *egress.Client
	Now  func() time.Time
	// Random makes the assertions of PrivateKeyJWT unique.
	Random io.Reader
}

// Do sends a token request once, and says what came of it. The answer holds no text of the provider, and no secret but the tokens.
//
// The end of the context ends it while nothing was sent. From then on only time does, connector.RequestTimeout: to look away from an
// answer that has tokens in it would be to lose them. So Do may go on for that long after the context has ended.
func (c *Client) Do(ctx context.Context, r Request) connector.Answer {
	request, err := c.prepare(ctx, r)
	if err != nil {
		return connector.Answer{Outcome: connector.NotSent, Why: err.Error()}
	}
	response, err := c.HTTP.DoOnce(request, connector.RequestTimeout) //nolint:bodyclose // ReadBody closes it
	switch {
	case errors.Is(err, egress.ErrNotSent):
		return connector.Answer{Outcome: connector.NotSent, Why: err.Error(), Away: ctx.Err() == nil}
	case err != nil:
		return connector.Answer{Outcome: connector.Unclear, Why: err.Error(), Away: true}
	}
	came := reply{status: response.StatusCode, header: response.Header}
	came.body, came.err = outbound.ReadBody(response, maxBody)
	return came.judge(r.ResponsePath, c.Now())
}

var errURL = errors.New("the token URL is no URL")

// prepare makes the HTTP request. Its errors quote nothing.
func (c *Client) prepare(ctx context.Context, r Request) (*http.Request, error) {
	form := r.form()
	authorization, err := c.authenticate(r, form)
	if err != nil {
		return nil, err
	}
	// The query of the URL stays (RFC 6749 section 3.2).
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errURL // the library's quotes it
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json") // or GitHub answers with a form
	request.Header.Set("User-Agent", userAgent)
	return request, nil
}
