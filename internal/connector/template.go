// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

var (
	placeholder = regexp.MustCompile(`\{([A-Za-z][A-Za-z0-9]*)\}`)
	// label is what a property may be in a host: one label of a DNS name, or a part of one. With a dot in it, it would be somebody
	// else's host.
	label = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

// Expand puts properties in the place of {Name} in a URL of a Connector. In the host a value is one label of letters, digits and
// hyphens, so that it cannot lead to another domain; in the path and the query it is escaped. It fails with a terminal fault that
// names the property and quotes no value.
func Expand(template string, properties map[string]string) (string, error) {
	scheme, rest, found := strings.Cut(template, "://")
	if !found {
		return "", fault.Terminalf(v1alpha1.ReasonInvalidConnector, "a URL of the Connector has no scheme")
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, err := replace(rest[:end], properties, func(name, value string) (string, error) {
		if !label.MatchString(value) {
			return "", fault.Terminalf(v1alpha1.ReasonInvalidProperty, "property %s stands in the host of a URL, so it must be one name of letters, digits and hyphens, without a dot", name)
		}
		return value, nil
	})
	if err != nil {
		return "", err
	}
	path, query, asks := strings.Cut(rest[end:], "?")
	if path, err = replace(path, properties, escapePath); err != nil {
		return "", err
	}
	if query, err = replace(query, properties, func(_, value string) (string, error) { return url.QueryEscape(value), nil }); err != nil {
		return "", err
	}
	expanded := scheme + "://" + host + path
	if asks {
		expanded += "?" + query
	}
	parsed, err := url.Parse(expanded)
	if err != nil || parsed.Hostname() == "" || parsed.User != nil || parsed.Fragment != "" {
		return "", fault.Terminalf(v1alpha1.ReasonInvalidConnector, "a URL of the Connector is none once its properties are in it")
	}
	return expanded, nil
}

// escapePath: a value that is "." or ".." would be another path.
func escapePath(name, value string) (string, error) {
	if strings.Trim(value, ".") == "" {
		return "", fault.Terminalf(v1alpha1.ReasonInvalidProperty, "property %s stands in the path of a URL, so it must be more than dots", name)
	}
	return url.PathEscape(value), nil
}

func replace(text string, properties map[string]string, escape func(name, value string) (string, error)) (string, error) {
	var failure error
	replaced := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.Trim(found, "{}")
		value, given := properties[name]
		if !given || value == "" || name == PropertyClientID || name == PropertyClientSecret {
			failure = fault.Terminalf(v1alpha1.ReasonInvalidProperty, "a URL of the Connector needs property %s", name)
			return ""
		}
		escaped, err := escape(name, value)
		if err != nil {
			failure = err
		}
		return escaped
	})
	return replaced, failure
}

// Configuration names a client and what is sent where, so that a record can say which of them a provider has refused. The secret is
// part of it: another one is another try.
func Configuration(tokenURL, clientID string, secret oauth.Secret, scope string, more ...string) string {
	parts := append([]string{tokenURL, clientID, secret.Reveal(), scope}, more...)
	var all strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&all, "%d:%s", len(part), part)
	}
	return Fingerprint(oauth.NewSecret(all.String()))
}
