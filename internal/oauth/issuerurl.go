// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"
)

// IssuerURL is an issuer identifier (RFC 8414 section 2). Clients compare it byte for byte, so it is kept as written.
type IssuerURL struct {
	text string
	path string
	host string
	tls  bool
}

// ParseIssuerURL accepts an absolute https URL without user, query, fragment or trailing slash. http is accepted on
// loopback, and elsewhere only where plain HTTP is allowed explicitly: tokens and secrets would cross the network in clear.
func ParseIssuerURL(text string, allowPlainHTTP bool) (IssuerURL, error) {
	return ParseBaseURL("issuer", text, allowPlainHTTP)
}

// ParseBaseURL accepts what ParseIssuerURL does, for another URL that people write down elsewhere, such as that of the connect role.
// what names it in errors.
func ParseBaseURL(what, text string, allowPlainHTTP bool) (IssuerURL, error) {
	parsed, err := url.Parse(text)
	switch {
	case err != nil:
		return IssuerURL{}, fmt.Errorf("%s: %w", what, err)
	case parsed.Scheme != "https" && parsed.Scheme != "http", parsed.Hostname() == "":
		return IssuerURL{}, fmt.Errorf("%s must be an absolute https URL, such as https://auth.example.com", what)
	case parsed.User != nil || parsed.RawQuery != "" || parsed.ForceQuery || strings.Contains(text, "#"):
		return IssuerURL{}, fmt.Errorf("%s must have no user, query or fragment (RFC 8414 section 2)", what)
	case strings.HasSuffix(text, "/"):
		return IssuerURL{}, fmt.Errorf("%s must not end in a slash: clients compare it byte for byte", what)
	case !plainPath(parsed):
		return IssuerURL{}, fmt.Errorf("the path of the %s must be plain: letters, digits and -._~, no empty or dot segment", what)
	case parsed.Scheme == "http" && !allowPlainHTTP && !IsLoopbackHost(parsed.Hostname()):
		return IssuerURL{}, fmt.Errorf("%s must be https unless it is on loopback or --allow-plain-http is given", what)
	}
	return IssuerURL{text: text, path: parsed.EscapedPath(), host: parsed.Hostname(), tls: parsed.Scheme == "https"}, nil
}

// plainPath: a path that no router, proxy or client rewrites, so that endpoints below it are where clients look.
func plainPath(parsed *url.URL) bool {
	const allowed = "/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	written := parsed.EscapedPath()
	return written == "" || written == path.Clean(written) && strings.Trim(written, allowed) == ""
}

func (u IssuerURL) String() string { return u.text }

// Path is the path of the issuer, without trailing slash; endpoints stand below it.
func (u IssuerURL) Path() string { return u.path }

// Host is the host of the issuer, without port.
func (u IssuerURL) Host() string { return u.host }

// IsTLS reports whether the issuer is https.
func (u IssuerURL) IsTLS() bool { return u.tls }

// Endpoint gives the URL of a path below the issuer.
func (u IssuerURL) Endpoint(path string) string { return u.text + path }

// ResourceMetadata gives the URL of the metadata of a protected resource, "<namespace>/<name>". It stands below the origin, whatever
// path the issuer has, so that one rule of a gateway reaches all well-known documents.
func (u IssuerURL) ResourceMetadata(name string) string {
	return strings.TrimSuffix(u.text, u.path) + PathResourceMetadata + "/" + name
}

// IsLoopbackHost reports whether a host, without port, is this machine.
func IsLoopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// IsLoopbackAddress reports whether a listen address, "host:port", is reachable from this machine only.
func IsLoopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && IsLoopbackHost(host)
}
