// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/claviger/claviger/internal/oauth"
)

// Paths of the token service, below the issuer.
const (
	pathToken  = "/oauth/token" //nolint:gosec // G101: a path, not a credential
	pathRevoke = "/oauth/revoke"
	pathJWKS   = "/oauth/jwks"
)

const (
	// patience bounds one call of the token service.
	patience = 15 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 1 << 20
)

// service is a part of Claviger that is called. As an error it says that it was this that could not be reached, and not the cluster.
type service string

const (
	errTokenService service = "token service"
	errConnect      service = "connect service"
)

func (s service) Error() string { return "calling the " + string(s) }

// endpoint is one URL of a service, and how it is trusted.
type endpoint struct {
	// service is whose it is; empty: the token service's.
	service service
	url     string
	// caCert are the PEM certificates that verify it; none: those of this machine do.
	caCert []byte
	// allowPlainHTTP lets secrets cross a network in clear.
	allowPlainHTTP bool
}

// answer is that of a call.
type answer struct {
	service service
	status  int
	body    []byte
}

// of is whose endpoint it is.
func (e endpoint) of() service { return cmp.Or(e.service, errTokenService) }

// postForm posts a form as a client (client_secret_basic, RFC 6749 section 2.3.1).
func (e endpoint) postForm(ctx context.Context, as binding, form url.Values) (answer, error) {
	if err := e.check(); err != nil {
		return answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", e.of(), err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(as.clientID), url.QueryEscape(as.clientSecret.Reveal()))
	return e.do(request)
}

// postJSON posts a value with a bearer token (RFC 6750 section 2.1).
func (e endpoint) postJSON(ctx context.Context, bearer string, value any) (answer, error) {
	if err := e.check(); err != nil {
		return answer{}, err
	}
	body, err := json.Marshal(value)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", e.of(), err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", e.of(), err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+bearer)
	return e.do(request)
}

func (e endpoint) get(ctx context.Context) (answer, error) {
	if err := e.check(); err != nil {
		return answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url, http.NoBody)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", e.of(), err)
	}
	return e.do(request)
}

// do sends a request once. A redirect is not followed: it would take a client secret to another place.
func (e endpoint) do(request *http.Request) (answer, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(e.caCert) > 0 {
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM(e.caCert) {
			return answer{}, fmt.Errorf("the CA certificates of the %s are not PEM", string(e.of()))
		}
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust}
	defer transport.CloseIdleConnections()
	caller := &http.Client{
		Transport:     transport,
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := caller.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w\nWhere it is not to be reached from here, forward its port, and see --help for how to say so",
			e.of(), err)
	}
	defer response.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer of the %s: %w", string(e.of()), err)
	}
	return answer{service: e.of(), status: response.StatusCode, body: body}, nil
}

func (e endpoint) check() error {
	parsed, err := url.Parse(e.url)
	switch {
	case err != nil:
		return fmt.Errorf("%w: its URL is wrong: %w", e.of(), err)
	case parsed.Host == "" || (parsed.Scheme != "https" && parsed.Scheme != "http"):
		return fmt.Errorf("%w: %s is not the https URL of one", e.of(), plain(e.url))
	case parsed.Scheme == "http" && !e.allowPlainHTTP && !oauth.IsLoopbackAddress(net.JoinHostPort(parsed.Hostname(), "0")):
		return fmt.Errorf("%s is plain HTTP, and secrets would cross the network in clear: "+
			"forward a port and give --issuer, or allow it with --allow-plain-http", plain(e.url))
	}
	return nil
}

// failure reads an error answer (RFC 6749 section 5.2).
func (a answer) failure() error {
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(a.body, &said); err != nil || said.Error == "" {
		return fmt.Errorf("the %s answered with status %d, and not as one does: is this its URL?", string(a.service), a.status)
	}
	text := plain(said.Error)
	if said.Description != "" {
		text += ": " + plain(said.Description)
	}
	return errors.New(text)
}
