// SPDX-License-Identifier: Apache-2.0

package render

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
)

// Checksum gives 32 hexadecimal digits that change with the data of a Secret. It is an HMAC with a key that nobody can guess, so
// that even to somebody who knows all but the client secret it says no more than that it is the same or another.
func Checksum(data map[string][]byte, key []byte) string {
	mac := hmac.New(sha256.New, key)
	for _, key := range slices.Sorted(maps.Keys(data)) {
		for _, field := range [...][]byte{[]byte(key), data[key]} {
			// Each field is preceded by its length, so that no two different Secrets have the same encoding.
			var length [8]byte
			binary.BigEndian.PutUint64(length[:], uint64(len(field)))
			mac.Write(length[:])
			mac.Write(field)
		}
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
