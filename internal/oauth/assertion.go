// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// assertionTypeJWT is the one client_assertion_type (RFC 7523 section 2.2).
const assertionTypeJWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// ServiceAccountPrefix begins the sub of a ServiceAccount token. No client ID begins with it.
const ServiceAccountPrefix = "system:serviceaccount:"

// Assertion is a JWT by which a client authenticates (RFC 7521 section 4.2). It is not yet verified.
type Assertion struct {
	// ClientID is the client that it shall authenticate; empty where none is named.
	ClientID string
	// JWT is held like a secret: whoever has it can present it.
	JWT Secret
}

// parseAssertion takes the client from client_assertion. Its sub names the client, and client_id is optional (RFC 7521 section
// 4.2); a ServiceAccount token names the ServiceAccount there, and client_id is required with it.
func parseAssertion(body form) (ClientAuthentication, error) {
	raw := body.get("client_assertion")
	switch body.get("client_assertion_type") {
	case assertionTypeJWT:
	case "":
		return ClientAuthentication{}, InvalidRequest("client_assertion_type is missing")
	default:
		return ClientAuthentication{}, InvalidClient(errors.New("another client_assertion_type"))
	}
	if raw == "" {
		return ClientAuthentication{}, InvalidRequest("client_assertion is missing")
	}
	subject, err := subjectOf(raw)
	if err != nil {
		return ClientAuthentication{}, InvalidClient(err)
	}
	client := ClientAuthentication{Method: MethodPrivateKeyJWT, Assertion: Assertion{ClientID: body.get("client_id"), JWT: NewSecret(raw)}}
	switch {
	case strings.HasPrefix(subject, ServiceAccountPrefix):
		client.Method = MethodServiceAccountToken
		if client.Assertion.ClientID == "" {
			return ClientAuthentication{}, InvalidRequest("client_id is missing: a ServiceAccount token does not name the client")
		}
	case client.Assertion.ClientID == "":
		client.Assertion.ClientID = subject
	case client.Assertion.ClientID != subject:
		return ClientAuthentication{}, InvalidRequest("client_id is not the one in client_assertion")
	}
	return client, nil
}

// subjectOf reads the sub of a JWT without verifying anything: it says whom to look up, and no more.
func subjectOf(raw string) (string, error) {
	var claims struct {
		Subject string `json:"sub"`
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return "", errors.New("the assertion is not a JWT")
	}
	payload, err := base64.RawURLEncoding.Strict().DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return "", errors.New("the assertion is not a JWT")
	}
	if claims.Subject == "" {
		return "", errors.New("the assertion has no sub")
	}
	return claims.Subject, nil
}
