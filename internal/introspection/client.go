// SPDX-License-Identifier: Apache-2.0

// Package introspection asks an issuer about tokens (RFC 7662), for roles that have no right to Claviger's objects: each answer is
// remembered for a moment, many questions about one token are asked once, and an issuer that is away is left alone for a while.
package introspection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/claviger/claviger/internal/outbound"
)

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 64 << 10

// Answer is what the issuer says of a token (RFC 7662 section 2.2).
type Answer struct {
	Active   bool   `json:"active"`
	Scope    string `json:"scope"`
	ClientID string `json:"client_id"`
	Account  string `json:"account"`
	Expires  int64  `json:"exp"`
	Issuer   string `json:"iss"`
	TokenID  string `json:"jti"`
}

// Client asks the introspection endpoint.
type Client struct {
	// URL is that of the endpoint.
	URL  string
	HTTP *http.Client
	// Credentials authenticate the one who asks.
	Credentials Credentials
}

var errRefused = errors.New("the issuer refuses our own credentials")

// ask asks once. Its errors hold no token and no secret.
func (c *Client) ask(ctx context.Context, token string) (Answer, error) {
	form, authorization, err := c.Credentials.present(url.Values{"token": {token}})
	if err != nil {
		return Answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return Answer{}, fmt.Errorf("asking about a token: %w", err)
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	response, err := c.HTTP.Do(request) //nolint:bodyclose // ReadBody closes it
	if err != nil {
		return Answer{}, fmt.Errorf("asking about a token: %w", err)
	}
	raw, err := outbound.ReadBody(response, maxAnswer)
	if err != nil {
		return Answer{}, fmt.Errorf("asking about a token: %w", err)
	}
	return read(response.StatusCode, raw)
}

func read(status int, raw []byte) (Answer, error) {
	switch status {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return Answer{}, errRefused
	default:
		return Answer{}, fmt.Errorf("asking about a token: status %d", status)
	}
	var answer Answer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return Answer{}, errors.New("asking about a token: the answer is no JSON object of RFC 7662")
	}
	return answer, nil
}
