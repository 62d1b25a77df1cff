// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// dataKey is the key of the signing-keys Secret that holds the document.
const dataKey = "keys.json"

// Document is what is stored: the keys, and what has been done about them.
type Document struct {
	Keys []Key
	// Rotation is the value of the last request for a rotation that was granted.
	Rotation string
}

// wireDocument is the JSON of a Document. Keys are private JWKs (RFC 7517), so that any JOSE library can read them.
type wireDocument struct {
	Keys     []wireKey `json:"keys"`
	Rotation string    `json:"rotation,omitempty"`
}

type wireKey struct {
	CreatedAt        time.Time       `json:"createdAt"`
	SignFrom         time.Time       `json:"signFrom,omitzero"` // where it is missing: createdAt
	MaxTokenLifetime metav1.Duration `json:"maxTokenLifetime,omitzero"`
	RemoveAfter      time.Time       `json:"removeAfter,omitzero"`
	ResetAfter       time.Time       `json:"resetAfter,omitzero"`
	JWK              jose.JSONWebKey `json:"jwk"`
}

// Encode gives the data of a signing-keys Secret that holds these keys and nothing else.
func Encode(keys ...Key) (map[string][]byte, error) { return Document{Keys: keys}.Encode() }

// Encode gives the data of a signing-keys Secret.
func (d Document) Encode() (map[string][]byte, error) {
	wire := wireDocument{Rotation: d.Rotation}
	for _, key := range d.Keys {
		wire.Keys = append(wire.Keys, wireKey{
			CreatedAt: key.CreatedAt, SignFrom: key.SignFrom, MaxTokenLifetime: metav1.Duration{Duration: key.MaxTokenLifetime},
			RemoveAfter: key.RemoveAfter, ResetAfter: key.ResetAfter, JWK: key.privateJWK(),
		})
	}
	raw, err := json.Marshal(wire)
	if err != nil {
		return nil, fmt.Errorf("encoding the signing keys: %w", err)
	}
	return map[string][]byte{dataKey: raw}, nil
}

// Decode reads what Encode wrote. Its errors never hold what it read.
func Decode(data map[string][]byte) (*Ring, error) {
	document, err := DecodeDocument(data)
	if err != nil {
		return nil, err
	}
	return NewRing(document.Keys...)
}

// DecodeDocument reads what Encode wrote, for whoever is to change it. Its errors never hold what it read.
func DecodeDocument(data map[string][]byte) (Document, error) {
	var wire wireDocument
	if err := json.Unmarshal(data[dataKey], &wire); err != nil {
		return Document{}, errors.New("the signing keys are not a JSON document of this version")
	}
	if len(wire.Keys) == 0 {
		return Document{}, errors.New("the document of the signing keys has no key")
	}
	document := Document{Rotation: wire.Rotation}
	for i, entry := range wire.Keys {
		key, err := entry.key()
		if err != nil {
			return Document{}, fmt.Errorf("signing key %d: %w", i, err)
		}
		document.Keys = append(document.Keys, key)
	}
	return document, nil
}

func (w wireKey) key() (Key, error) {
	private, ok := w.JWK.Key.(crypto.Signer)
	if !ok {
		return Key{}, errors.New("not a private key")
	}
	key, err := newSigningKey(private)
	switch {
	case err != nil:
		return Key{}, err
	case key.Algorithm != w.JWK.Algorithm:
		return Key{}, errors.New("its alg is not " + key.Algorithm)
	case !isSound(private):
		return Key{}, errors.New("its halves do not belong together")
	case w.MaxTokenLifetime.Duration < 0:
		return Key{}, errors.New("its bound of lifetimes is negative")
	}
	key.CreatedAt, key.SignFrom, key.MaxTokenLifetime = w.CreatedAt, w.SignFrom, w.MaxTokenLifetime.Duration
	key.RemoveAfter, key.ResetAfter = w.RemoveAfter, w.ResetAfter
	if key.SignFrom.IsZero() {
		key.SignFrom = key.CreatedAt
	}
	return key, nil
}
