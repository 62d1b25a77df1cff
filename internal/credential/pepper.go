// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/internal/oauth"
)

const (
	// pepperBytes is the length of a pepper: a full HMAC-SHA-256 key.
	pepperBytes = 32
	// pepperDataKey is the key of the pepper Secret that holds the raw bytes.
	pepperDataKey = "pepper"
)

// Digest is HMAC-SHA-256(pepper, UID, client ID, client secret). The UID binds it to one incarnation of the object, so
// that a status copied to another object verifies nothing.
type Digest [sha256.Size]byte

// Pepper is the key that digests are made with. Only the operator's own roles can read it; without it a digest tells
// nothing, even of a weak secret. The key is held by a closure, so that no verb and no encoder prints it.
type Pepper struct {
	id  string
	key func() []byte
}

// GeneratePepper makes the data of a pepper Secret.
func GeneratePepper(random io.Reader) (map[string][]byte, error) {
	key := make([]byte, pepperBytes)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("generating a pepper: %w", err)
	}
	return map[string][]byte{pepperDataKey: key}, nil
}

// DecodePepper reads the data of a pepper Secret.
func DecodePepper(data map[string][]byte) (Pepper, error) {
	key := data[pepperDataKey]
	if len(key) != pepperBytes {
		return Pepper{}, errors.New("the pepper is not 32 bytes long")
	}
	// A hash of 256 random bits gives nothing of them away.
	sum := sha256.Sum256(append([]byte("claviger pepper id\x00"), key...))
	return Pepper{id: hex.EncodeToString(sum[:8]), key: func() []byte { return key }}, nil
}

// ID tells peppers apart without revealing them.
func (p Pepper) ID() string { return p.id }

// Digest digests a client secret.
func (p Pepper) Digest(uid types.UID, clientID string, secret oauth.Secret) Digest {
	mac := hmac.New(sha256.New, p.key())
	for _, field := range [...]string{"claviger client secret", string(uid), clientID, secret.Reveal()} {
		// Each field is preceded by its length, so that no two different triples have the same encoding.
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(field)))
		mac.Write(length[:])
		mac.Write([]byte(field))
	}
	var digest Digest
	mac.Sum(digest[:0])
	return digest
}
