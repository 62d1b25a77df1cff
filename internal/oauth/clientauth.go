// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"encoding/base64"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Names of client authentication methods (RFC 7591 section 2, token_endpoint_auth_method), and one of our own.
const (
	MethodSecretBasic   = "client_secret_basic"
	MethodSecretPost    = "client_secret_post"
	MethodPrivateKeyJWT = "private_key_jwt"
	// MethodServiceAccountToken is by a ServiceAccount token of the cluster. On the wire it is private_key_jwt, with the API server's
	// key, or a bearer token.
	MethodServiceAccountToken = "service_account_token"
)

// clientAuthMethods are those that every endpoint accepts which a client authenticates at, as clients know them.
func clientAuthMethods() []string {
	return []string{MethodSecretBasic, MethodSecretPost, MethodPrivateKeyJWT}
}

// maxBasicLength bounds the encoded credentials of an Authorization header, in bytes.
const maxBasicLength = 4096

// ClientAuthentication is how a client presented itself (RFC 6749 section 2.3): by exactly one method. It is not yet verified.
type ClientAuthentication struct {
	// Source is the address that the request comes from.
	Source netip.Addr
	// Endpoint is the path below the issuer that the request came to; an assertion may be for it.
	Endpoint string
	Method   string
	// Readings, with a client secret, has one or two entries. RFC 6749 wants ID and secret form-encoded before they are put into
	// HTTP Basic; many clients put them in raw. Where the two readings differ, both are tried.
	Readings []Presented
	// Assertion is there with the other methods.
	Assertion Assertion
}

// Presented is a client ID with the secret that came with it.
type Presented struct {
	ClientID string
	Secret   Secret
}

// ClientIDs gives every client ID that the client may be read to have named, each once; none where it named none.
func (c ClientAuthentication) ClientIDs() []string {
	ids := make([]string, 0, 2)
	for _, reading := range c.Readings {
		if !slices.Contains(ids, reading.ClientID) {
			ids = append(ids, reading.ClientID)
		}
	}
	if c.Assertion.ClientID != "" {
		ids = append(ids, c.Assertion.ClientID)
	}
	return ids
}

// client reads how the client presented itself.
func (r RawRequest) client(body form, endpoint string) (ClientAuthentication, error) {
	client, err := parseClientAuthentication(r.Authorization, body)
	client.Source, client.Endpoint = r.Source, endpoint
	return client, err
}

// parseClientAuthentication takes the client from the Authorization header, a secret in the body or an assertion: exactly one of
// them (RFC 6749 section 2.3). It fails with invalid_request where there are several or they contradict client_id, and with
// invalid_client where there is none.
func parseClientAuthentication(authorization []string, body form) (ClientAuthentication, error) {
	header, secret := len(authorization) > 0, body.get("client_secret") != ""
	assertion := body.get("client_assertion") != "" || body.get("client_assertion_type") != ""
	switch {
	case len(authorization) > 1:
		return ClientAuthentication{}, InvalidRequest("more than one Authorization header")
	case header && secret, header && assertion, secret && assertion:
		return ClientAuthentication{}, InvalidRequest("two client authentication methods: use one of the Authorization header, client_secret and client_assertion")
	case assertion:
		return parseAssertion(body)
	case header:
		return parseHeader(authorization[0], body.get("client_id"))
	default:
		return parsePost(body)
	}
}

func parseHeader(header, clientID string) (ClientAuthentication, error) {
	readings, err := parseBasic(header)
	if err != nil {
		return ClientAuthentication{}, InvalidClient(err)
	}
	if clientID != "" {
		if readings = readingsOf(clientID, readings); len(readings) == 0 {
			return ClientAuthentication{}, InvalidRequest("client_id is not the one in the Authorization header")
		}
	}
	return ClientAuthentication{Method: MethodSecretBasic, Readings: readings}, nil
}

func parsePost(body form) (ClientAuthentication, error) {
	id, secret := body.get("client_id"), body.get("client_secret")
	if id == "" || secret == "" {
		return ClientAuthentication{}, InvalidClient(errors.New("client_id or client_secret is missing"))
	}
	return ClientAuthentication{Method: MethodSecretPost, Readings: []Presented{presented(id, secret)}}, nil
}

func readingsOf(clientID string, readings []Presented) []Presented {
	var matching []Presented
	for _, reading := range readings {
		if reading.ClientID == clientID {
			matching = append(matching, reading)
		}
	}
	return matching
}

// parseBasic reads an Authorization header of HTTP Basic (RFC 7617), raw and form-decoded. Its errors never hold what
// was in the header.
func parseBasic(header string) ([]Presented, error) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return nil, errors.New("the Authorization header is not of HTTP Basic")
	}
	encoded = strings.Trim(encoded, " ")
	if len(encoded) > maxBasicLength {
		return nil, errors.New("the Authorization header is too long")
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errors.New("the Authorization header is not base64")
	}
	id, secret, found := strings.Cut(string(decoded), ":")
	if !found || id == "" || secret == "" || !isText(string(decoded)) {
		return nil, errors.New("the Authorization header is not of the form id:secret")
	}
	readings := []Presented{presented(id, secret)}
	if formID, formSecret, ok := formDecode(id, secret); ok && (formID != id || formSecret != secret) {
		readings = append(readings, presented(formID, formSecret))
	}
	return readings, nil
}

func presented(id, secret string) Presented {
	return Presented{ClientID: id, Secret: NewSecret(secret)}
}

func formDecode(id, secret string) (formID, formSecret string, ok bool) {
	formID, idErr := url.QueryUnescape(id)
	formSecret, secretErr := url.QueryUnescape(secret)
	return formID, formSecret, idErr == nil && secretErr == nil && isText(formID) && isText(formSecret)
}
