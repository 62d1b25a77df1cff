// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/claviger/claviger/api/v1alpha1"
)

// Bounds of what a link may bring, in bytes.
const (
	maxTarget  = 2048
	maxMessage = 1024
	maxID      = 317
)

// ownParameters are those that tell the host's page how a sign-in has ended.
var ownParameters = []string{"code", "error", "error_description"}

// Target is where a sign-in ends: a page that the browser goes to, or the window that opened ours.
type Target struct {
	url *url.URL
	// Message is posted to the window that opened ours. Empty: the browser goes to the URL.
	Message string
}

// plainHost is a host that a browser reads as it stands. Others it maps to another one first (UTS 46), and not as Go does: to Go, a
// capital I with a dot is the letter i in small. An allowed origin has no other characters either.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9.-]+(:([1-9][0-9]{0,4})?)?$`)

// ParseTarget reads targetOrigin and callbackMessage: an absolute http or https URL without user and our own
// parameters and, where there is a message, without anything behind the origin. It fails with LinkInvalid.
func ParseTarget(target, message string) (Target, error) {
	if len(target) > maxTarget || len(message) > maxMessage || strings.ContainsFunc(target, func(c rune) bool { return c <= ' ' || c == '\\' || c == 0x7F }) {
		return Target{}, LinkInvalid
	}
	parsed, err := url.Parse(target)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || !plainHost.MatchString(parsed.Host) || parsed.User != nil || parsed.Opaque != "" {
		return Target{}, LinkInvalid
	}
	if asksOwn(parsed.RawQuery) {
		return Target{}, LinkInvalid
	}
	read := Target{url: parsed, Message: message}
	if message != "" && strings.TrimSuffix(target, "/") != read.Origin() {
		return Target{}, LinkInvalid
	}
	return read, nil
}

// asksOwn reports whether a query has one of our own parameters: a page that reads the first of two would read what somebody else wrote.
func asksOwn(query string) bool {
	for _, pair := range strings.FieldsFunc(query, func(c rune) bool { return c == '&' || c == ';' }) {
		escaped, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(escaped); err == nil && slices.Contains(ownParameters, name) {
			return true
		}
	}
	return false
}

// Posts reports whether the end is told to the window that opened ours.
func (t Target) Posts() bool { return t.Message != "" }

// Origin gives the origin as a browser has it (RFC 6454 section 6.2).
func (t Target) Origin() string {
	host := strings.ToLower(t.url.Host)
	switch t.url.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return t.url.Scheme + "://" + strings.TrimSuffix(host, ":")
}

// Host gives the host of the target, for people.
func (t Target) Host() string { return t.url.Hostname() }

// With gives the URL with parameters added to its query.
func (t Target) With(parameters url.Values) string {
	to := *t.url
	if len(parameters) > 0 {
		if to.RawQuery != "" {
			to.RawQuery += "&"
		}
		to.RawQuery += parameters.Encode()
	}
	return to.String()
}

// AllowedOrigins gives the origins that a sign-in of a connection may end at: those of its Account and its Connector, of which the
// connection may name some.
func AllowedOrigins(place Place) []string {
	allowed := map[string]bool{}
	add := func(origins []v1alpha1.Origin) {
		for _, origin := range origins {
			allowed[string(origin)] = true
		}
	}
	if place.Account != nil {
		add(place.Account.Spec.AllowedOrigins)
	}
	if place.Connector != nil {
		add(place.Connector.Spec.AllowedOrigins)
	}
	var origins []string
	for origin := range allowed {
		if own := place.Connection.Spec.AllowedOrigins; len(own) == 0 || slices.Contains(own, v1alpha1.Origin(origin)) {
			origins = append(origins, origin)
		}
	}
	slices.Sort(origins)
	return origins
}

func allows(origins []string, target Target) bool { return slices.Contains(origins, target.Origin()) }
