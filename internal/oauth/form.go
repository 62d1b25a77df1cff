// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	// maxParameters bounds the number of form parameters, repeated ones counted each time. A token request has at most
	// a dozen; the bound keeps a hostile body from costing more than reading it.
	maxParameters = 64
	// maxParameterLength bounds one value, in bytes. The longest legitimate ones are client assertions.
	maxParameterLength = 16 << 10
)

// repeatable parameters may occur more than once (RFC 8707 section 2, RFC 8693 section 2.1).
var repeatable = Scopes{"resource", "audience"}

// form is a parsed application/x-www-form-urlencoded body. A parameter without a value counts as left out
// (RFC 6749 section 3.1).
type form map[string][]string

func (f form) get(name string) string {
	if values := f[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// parseForm reads a body, and fails with invalid_request where it is of another media type, malformed, longer than the
// bounds, not UTF-8 without NUL, or repeats a parameter that is not repeatable (RFC 6749 section 3.2).
func parseForm(contentType string, body []byte) (form, error) {
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/x-www-form-urlencoded" {
		return nil, InvalidRequest("Content-Type must be application/x-www-form-urlencoded")
	}
	encoded := string(body)
	if strings.Count(encoded, "&") >= maxParameters {
		return nil, InvalidRequest("more than %d parameters", maxParameters)
	}
	values, err := url.ParseQuery(encoded)
	if err != nil {
		// The parser's own error quotes the input, which may hold a secret.
		return nil, InvalidRequest("the body is not well-formed application/x-www-form-urlencoded")
	}
	parsed := make(form, len(values))
	for name, given := range values {
		if !isText(name) {
			return nil, InvalidRequest("a parameter name is not UTF-8 text")
		}
		if len(given) > 1 && !repeatable.Has(name) {
			return nil, InvalidRequest("a parameter is repeated")
		}
		if parsed[name], err = nonEmpty(given); err != nil {
			return nil, err
		}
	}
	return parsed, nil
}

// nonEmpty checks the values of one parameter and leaves out the empty ones.
func nonEmpty(given []string) ([]string, error) {
	var values []string
	for _, value := range given {
		if len(value) > maxParameterLength {
			return nil, InvalidRequest("a parameter is longer than %d bytes", maxParameterLength)
		}
		if !isText(value) {
			return nil, InvalidRequest("a parameter is not UTF-8 text")
		}
		if value != "" {
			values = append(values, value)
		}
	}
	return values, nil
}

// isText: UTF-8 without NUL, which no parameter of OAuth has use for and which truncates strings elsewhere.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}
