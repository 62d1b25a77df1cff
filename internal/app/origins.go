// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// checkOrigins says which of these are no origins as browsers write them (RFC 6454 section 6.1): scheme, host, and a port that is
// not the scheme's own, in lower case. Any other would match no request; one with a wildcard too many.
func checkOrigins(origins []string) error {
	var mistakes []error
	for _, origin := range origins {
		parsed, err := url.Parse(origin)
		if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Hostname() == "" ||
			origin != strings.ToLower(parsed.Scheme+"://"+parsed.Host) || strings.Contains(origin, "*") || ownPort[parsed.Scheme] == parsed.Port() {
			mistakes = append(mistakes, fmt.Errorf("--cors-allowed-origins: %q is not an origin such as https://app.example.com", origin))
		}
	}
	return errors.Join(mistakes...)
}

// ownPort is the port that an origin of that scheme does not name.
var ownPort = map[string]string{"http": "80", "https": "443"}
