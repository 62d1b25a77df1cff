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

// Names of client authentication methods (RFC 7591 section 2, token_endpoint_auth_method).
const (
	MethodSecretBasic = "client_secret_basic"
	MethodSecretPost  = "client_secret_post"
)

// clientAuthMethods are those that every endpoint accepts which a client authenticates at.
func clientAuthMethods() []string { return []string{MethodSecretBasic, MethodSecretPost} }

// maxBasicLength bounds the encoded credentials of an Authorization header, in bytes.
const maxBasicLength = 4096

// ClientAuthentication is how a client presented itself (RFC 6749 section 2.3.1). It is not yet verified.
type ClientAuthentication struct {
	// Source is the address that the request comes from.
	Source netip.Addr
	Method string
	// Readings has one or two entries. RFC 6749 wants ID and secret form-encoded before they are put into HTTP Basic;
	// many clients put them in raw. Where the two readings differ, both are tried.
	Readings []Presented
}

// Presented is a client ID with the secret that came with it.
type Presented struct {
	ClientID string
	Secret   ClientSecret
}

// ClientIDs gives every client ID that the client may be read to have named, each once; none where it named none.
func (c ClientAuthentication) ClientIDs() []string {
	ids := make([]string, 0, 2)
	for _, reading := range c.Readings {
		if !slices.Contains(ids, reading.ClientID) {
			ids = append(ids, reading.ClientID)
		}
	}
	return ids
}

// client reads how the client presented itself.
func (r RawRequest) client(body form) (ClientAuthentication, error) {
	client, err := parseClientAuthentication(r.Authorization, body)
	client.Source = r.Source
	return client, err
}

// parseClientAuthentication takes the client from the Authorization header or the body: exactly one of them may hold a
// secret. It fails with invalid_request where both do or contradict each other, and with invalid_client where neither
// does.
func parseClientAuthentication(authorization []string, body form) (ClientAuthentication, error) {
	if len(authorization) > 1 {
		return ClientAuthentication{}, InvalidRequest("more than one Authorization header")
	}
	if len(authorization) == 0 {
		return parsePost(body)
	}
	if body.get("client_secret") != "" {
		return ClientAuthentication{}, InvalidRequest("two client authentication methods: use the Authorization header or client_secret, not both")
	}
	readings, err := parseBasic(authorization[0])
	if err != nil {
		return ClientAuthentication{}, InvalidClient(err)
	}
	if id := body.get("client_id"); id != "" {
		if readings = readingsOf(id, readings); len(readings) == 0 {
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
	return Presented{ClientID: id, Secret: NewClientSecret(secret)}
}

func formDecode(id, secret string) (formID, formSecret string, ok bool) {
	formID, idErr := url.QueryUnescape(id)
	formSecret, secretErr := url.QueryUnescape(secret)
	return formID, formSecret, idErr == nil && secretErr == nil && isText(formID) && isText(formSecret)
}
