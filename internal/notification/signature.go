// SPDX-License-Identifier: Apache-2.0

package notification

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Bounds of a key, in bytes, as Standard Webhooks has them.
const (
	leastKey = 24
	mostKey  = 64
)

var errKey = errors.New("it must hold keys, one a line, each whsec_ and the base64 of 24 to 64 random bytes")

// ReadKeys reads the file with the keys that messages are signed with. Its errors quote nothing of it.
func ReadKeys(file string) ([][]byte, error) {
	content, err := os.ReadFile(file) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return nil, fmt.Errorf("reading the keys of notifications: %w", err)
	}
	var keys [][]byte
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(line, "whsec_"))
		if err != nil || len(key) < leastKey || len(key) > mostKey {
			return nil, errKey
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errKey
	}
	return keys, nil
}

// sign gives the webhook-signature of a message: one for each key, so that a key can be replaced without a message that its receiver
// cannot verify.
func sign(keys [][]byte, id string, at time.Time, body []byte) string {
	signatures := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(signatures, " ")
}
