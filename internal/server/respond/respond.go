// SPDX-License-Identifier: Apache-2.0

// Package respond writes answers: the one place where a domain error becomes a status, a challenge and a body.
package respond

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/claviger/claviger/internal/oauth"
)

// realm is what challenges name.
const realm = "claviger"

// ContentType and CacheControl are those of every answer that says something of a client or a token.
const (
	ContentType  = "application/json"
	CacheControl = "no-store"
)

// JSON writes a value as application/json that no cache may keep (RFC 6749 section 5.1).
func JSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"`+oauth.CodeServerError+`"}`)
	}
	NoStore(w)
	w.Header().Set("Content-Type", ContentType)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// Token writes an answer that holds a token: 200, and not for caches of HTTP/1.0 either (RFC 6749 section 5.1).
func Token(w http.ResponseWriter, value any) {
	w.Header().Set("Pragma", "no-cache")
	JSON(w, http.StatusOK, value)
}

// failureBody marshals two strings, which cannot fail.
func failureBody(failure *oauth.Error) []byte {
	body, _ := json.Marshal(errorBody{Error: failure.Code, Description: failure.Description})
	return body
}

// NoStore forbids caching.
func NoStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", CacheControl)
}

// errorBody is the error answer of RFC 6749 section 5.2. It has no field for a cause.
type errorBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// TokenError writes an error of the token endpoint (RFC 6749 section 5.2).
func TokenError(w http.ResponseWriter, err error) {
	failure := asOAuth(err)
	status := http.StatusBadRequest
	switch failure.Code {
	case oauth.CodeInvalidClient:
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", `Basic realm="`+realm+`", charset="UTF-8"`)
	case oauth.CodeInvalidToken: // a caller's own bearer token (RFC 7662 section 2.3)
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", challenge(failure.Code, failure.Description, nil, ""))
	case oauth.CodeServerError:
		status = http.StatusServiceUnavailable
	case oauth.CodeTemporarilyUnavailable:
		status = http.StatusTooManyRequests
	}
	if failure.RetryAfter > 0 { // whole seconds, so that who waits that long has waited long enough
		w.Header().Set("Retry-After", strconv.FormatInt(int64((failure.RetryAfter+time.Second-1)/time.Second), 10))
	}
	JSON(w, status, errorBody{Error: failure.Code, Description: failure.Description})
}

// Error writes an error that no RFC has an answer for, in the shape of those that have one.
func Error(w http.ResponseWriter, status int, code, description string) {
	JSON(w, status, errorBody{Error: code, Description: description})
}

// MethodNotAllowed writes a 405 that names the methods that are.
func MethodNotAllowed(w http.ResponseWriter, allowed string) {
	w.Header().Set("Allow", allowed)
	JSON(w, http.StatusMethodNotAllowed, errorBody{
		Error:       oauth.CodeInvalidRequest,
		Description: "method not allowed; use " + allowed,
	})
}

// Refusal is the refusal of a guarded place: 401 or 403 with a challenge (RFC 6750 section 3) and never another status,
// because gateways turn all others into failures of their own.
type Refusal struct {
	Status    int
	Challenge string
	// Body is an errorBody as JSON, or empty where no token was presented.
	Body []byte
}

// Refuse gives the refusal for an error. needed, where set, tells which scopes would do.
func Refuse(err error, needed oauth.Scopes) Refusal {
	if errors.Is(err, &oauth.Error{Code: oauth.CodeInvalidToken}) {
		needed = nil // a token of the same scopes may do
	}
	return refuse(err, needed, "")
}

// RefuseAt gives the refusal of a registered place, which always tells which scopes would do and where its metadata is (RFC 9728
// section 5.1): clients that know nothing but the place find their way by it.
func RefuseAt(err error, needed oauth.Scopes, metadataURL string) Refusal {
	return refuse(err, needed, metadataURL)
}

func refuse(err error, needed oauth.Scopes, metadataURL string) Refusal {
	if errors.Is(err, oauth.ErrNoToken) {
		return Refusal{Status: http.StatusUnauthorized, Challenge: challenge("", "", needed, metadataURL)}
	}
	failure := asOAuth(err)
	status := http.StatusForbidden
	if failure.Code == oauth.CodeInvalidToken {
		status = http.StatusUnauthorized
	}
	return Refusal{
		Status:    status,
		Challenge: challenge(failure.Code, failure.Description, needed, metadataURL),
		Body:      failureBody(failure),
	}
}

// Write writes the refusal.
func (r Refusal) Write(w http.ResponseWriter) {
	NoStore(w)
	w.Header().Set("WWW-Authenticate", r.Challenge)
	if len(r.Body) > 0 {
		w.Header().Set("Content-Type", ContentType)
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body)
}

// challenge has error and error_description only where a token was presented (RFC 6750 section 3.1). None of its values
// can hold a quote or a backslash: codes and descriptions are ours, scope-tokens and URLs exclude both.
func challenge(code, description string, scopes oauth.Scopes, metadataURL string) string {
	var parts strings.Builder
	parts.WriteString(`Bearer realm="` + realm + `"`)
	for _, part := range [...]struct{ name, value string }{
		{"error", code}, {"error_description", description}, {"scope", scopes.String()}, {"resource_metadata", metadataURL},
	} {
		if part.value != "" {
			parts.WriteString(", " + part.name + `="` + part.value + `"`)
		}
	}
	return parts.String()
}

// asOAuth finds the OAuth error in a chain; anything else is our own failure.
func asOAuth(err error) *oauth.Error {
	var failure *oauth.Error
	if errors.As(err, &failure) {
		return failure
	}
	return oauth.ServerError(err)
}
