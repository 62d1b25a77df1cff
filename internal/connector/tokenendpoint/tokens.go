// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/oauth"
)

const (
	// maxToken bounds a token, in bytes.
	maxToken = 16 << 10
	// maxScope bounds a list of scopes, in bytes: it stands in the status.
	maxScope = 8704
	// maxType bounds a token_type, in bytes.
	maxType = 64
	// maxLifetime bounds what a provider says of a lifetime. Nothing else in a Connector is longer.
	maxLifetime = 87600 * time.Hour
	// maxRetryAfter bounds how long a provider may ask to be left alone.
	maxRetryAfter = 24 * time.Hour
)

// granted reads an answer that has a status of success, which some providers give to errors too.
func granted(content object, path string) connector.Answer {
	inner := content.at(path)
	access, err := token(inner["access_token"])
	if err != nil {
		return unclear("the provider's access_token is %v", err)
	}
	refresh, err := token(inner["refresh_token"])
	switch {
	case err != nil:
		return unclear("the provider's refresh_token is %v", err)
	case access != "":
		return connector.Answer{Outcome: connector.Granted, Tokens: tokensOf(inner, access, refresh)}
	case content.failed():
		return refused(content)
	case content == nil:
		return unclear("the provider's answer is neither JSON nor a form")
	default:
		return unclear("the provider's answer has no access_token where it should be")
	}
}

// tokensOf reads what stands beside the tokens, and takes nothing so ill that it would drop them.
func tokensOf(inner object, access, refresh string) connector.Tokens {
	tokens := connector.Tokens{
		Access: oauth.NewSecret(access), Type: "Bearer",
		Scope: scope(inner["scope"]), Lifetime: seconds(inner["expires_in"], maxLifetime),
	}
	if refresh != "" {
		tokens.Refresh = oauth.NewSecret(refresh)
	}
	if kind, _ := inner["token_type"].(string); kind != "" && len(kind) <= maxType && printable(kind) {
		tokens.Type = kind
	}
	for _, name := range []string{
		"refresh_expires_in",         // Keycloak
		"refresh_token_expires_in",   // GitHub, Google, LinkedIn
		"x_refresh_token_expires_in", // Intuit
	} {
		if tokens.RefreshLifetime == 0 {
			tokens.RefreshLifetime = seconds(inner[name], maxLifetime)
		}
	}
	return tokens
}

var (
	errNoString = errors.New("no string")
	errOddToken = errors.New("no token: it has other characters than those of RFC 6749 appendix A.12")
	errLong     = fmt.Errorf("longer than %d bytes", maxToken)
)

// token reads one; "" where there is none.
func token(value any) (string, error) {
	text, is := value.(string)
	switch {
	case value == nil:
		return "", nil
	case !is:
		return "", errNoString
	case len(text) > maxToken:
		return "", errLong
	case !printable(text): // it would go into a header
		return "", errOddToken
	default:
		return text, nil
	}
}

// printable reports whether a text has nothing but VSCHAR (RFC 6749 appendix A).
func printable(text string) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] > 0x7e {
			return false
		}
	}
	return true
}

// scope reads a list of scopes as it came, or "" where it is of no use. Twitch gives an array.
func scope(value any) string {
	if list, is := value.([]any); is {
		words := make([]string, 0, len(list))
		for _, each := range list {
			word, _ := each.(string)
			words = append(words, word)
		}
		value = strings.Join(words, " ")
	}
	text, _ := value.(string)
	if len(text) > maxScope || !printable(text) {
		return ""
	}
	return text
}

// seconds reads a number of seconds, also one that is a string, up to a bound. Zero where there is none, or it is none, or is
// negative: then nothing is known.
func seconds(value any, most time.Duration) time.Duration {
	var text string
	switch value := value.(type) {
	case json.Number:
		text = value.String()
	case string:
		text = strings.TrimSpace(value)
	}
	number, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange), math.IsNaN(number), number <= 0:
		return 0
	case number >= most.Seconds():
		return most
	default:
		return time.Duration(number * float64(time.Second))
	}
}

// retryAfter reads how long the provider asks to be left alone, in seconds or as a time (RFC 9110 section 10.2.3). Zero where it does
// not.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return seconds(text, maxRetryAfter)
}
