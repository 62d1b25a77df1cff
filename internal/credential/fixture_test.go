// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"time"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

// noon is the time at which a test begins.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// randomness is the same on every run, and another for every seed.
func randomness(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

// sequence gives the bytes 0, 1, 2, ... 31.
func sequence() []byte {
	all := make([]byte, 32)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

func newPepper(t *testing.T, seed byte) credential.Pepper {
	t.Helper()
	data, err := credential.GeneratePepper(randomness(seed))
	if err != nil {
		t.Fatal(err)
	}
	pepper, err := credential.DecodePepper(data)
	if err != nil {
		t.Fatal(err)
	}
	return pepper
}

// errNoRandomness is what brokenRandomness fails with.
var errNoRandomness = errors.New("no randomness")

// brokenRandomness gives some bytes, but never 32.
func brokenRandomness() io.Reader {
	return io.MultiReader(bytes.NewReader(make([]byte, 31)), iotest.ErrReader(errNoRandomness))
}

// digestOf is the digest of a secret of a nameless client.
func digestOf(pepper credential.Pepper, secret string) credential.Digest {
	return pepper.Digest("", "", oauth.NewSecret(secret))
}
