// SPDX-License-Identifier: Apache-2.0

package server

import (
	"testing"

	"github.com/go-logr/logr/funcr"
)

// TestPanicsAreSeen: what the HTTP server complains of every day is for those who debug; a panic is for everybody.
func TestPanicsAreSeen(t *testing.T) {
	for complaint, seen := range map[string]bool{
		"http: panic serving 127.0.0.1:1234: runtime error: index out of range": true,
		"http: TLS handshake error from 127.0.0.1:1234: EOF":                    false,
	} {
		lines := 0
		logger := funcr.New(func(string, string) { lines++ }, funcr.Options{Verbosity: 0})
		n, err := errorLog{logger}.Write([]byte(complaint))
		if n != len(complaint) || err != nil {
			t.Errorf("%s: wrote %d bytes, %v", complaint, n, err)
		}
		if (lines == 1) != seen {
			t.Errorf("%s: %d lines at the default level", complaint, lines)
		}
	}
}
