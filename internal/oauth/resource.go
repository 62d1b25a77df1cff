// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// CanonicalResource gives the form of a resource identifier (RFC 8707 section 2) in which two are compared: scheme and host in
// lower case, without the scheme's default port, and with "/" for an empty path (RFC 3986 sections 6.2.2.1 and 6.2.3). All else
// stays as it is written. It fails unless the text is an absolute http or https URL without user and fragment.
func CanonicalResource(text string) (string, error) {
	if strings.Contains(text, "#") {
		return "", errors.New("a resource identifier has no fragment (RFC 8707 section 2)")
	}
	parsed, err := url.Parse(text)
	switch {
	case err != nil: // which quotes what a client sent
		return "", errors.New("a resource identifier is a URL")
	case parsed.Scheme != "https" && parsed.Scheme != "http", parsed.Hostname() == "":
		return "", errors.New("a resource identifier is an absolute http or https URL")
	case parsed.User != nil:
		return "", errors.New("a resource identifier names no user")
	}
	port := parsed.Port()
	if parsed.Scheme == "https" && port == "443" || parsed.Scheme == "http" && port == "80" {
		port = ""
	}
	canonical := *parsed
	canonical.Host = joinHostPort(strings.ToLower(parsed.Hostname()), port)
	if parsed.EscapedPath() == "" {
		canonical.Path, canonical.RawPath = "/", ""
	}
	return canonical.String(), nil
}

func joinHostPort(host, port string) string {
	switch {
	case port != "":
		return net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	default:
		return host
	}
}
