// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// unixHost is what an upstream on a socket is called in Host.
const unixHost = "localhost"

// NewUpstream reads the URL of an upstream: http or https, a host, and nothing else, because paths and queries pass as they
// come; or unix: with the absolute path of a socket, on which plain HTTP is spoken. headerTimeout bounds how long it may take
// until an answer begins; nothing bounds how long one lasts. The transport's own limits of dialling apply.
func NewUpstream(text string, transport *http.Transport, headerTimeout time.Duration) (Upstream, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return Upstream{}, fmt.Errorf("it is no URL: %w", err)
	}
	transport.ResponseHeaderTimeout = headerTimeout
	transport.DisableCompression = true // bodies pass as they come
	if parsed.Scheme == "unix" {
		return socket(parsed, transport)
	}
	switch {
	case parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Hostname() == "":
		return Upstream{}, errors.New("it must be http, https or unix, such as http://127.0.0.1:9000")
	case parsed.User != nil, strings.Trim(parsed.Path, "/") != "", parsed.RawQuery != "", strings.ContainsAny(text, "?#"):
		return Upstream{}, errors.New("it must have no user, path, query or fragment: what callers ask for passes as it comes")
	}
	return Upstream{Scheme: parsed.Scheme, Host: parsed.Host, Transport: transport}, nil
}

func socket(parsed *url.URL, transport *http.Transport) (Upstream, error) {
	path := parsed.Path
	if parsed.Host != "" || !strings.HasPrefix(path, "/") || parsed.RawQuery != "" || parsed.Fragment != "" {
		return Upstream{}, errors.New("a socket must be an absolute path, such as unix:///run/app.sock")
	}
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	return Upstream{Scheme: "http", Host: unixHost, Transport: transport}, nil
}
