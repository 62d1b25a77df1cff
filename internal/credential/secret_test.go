// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"hash/crc32"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/credential"
)

// TestGeneratedSecrets pins down the form: secrets that are out there must stay recognisable.
func TestGeneratedSecrets(t *testing.T) {
	for _, row := range []struct {
		name   string
		random []byte
		want   string
	}{
		{"counting bytes", sequence(), "clvs_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh84O7WPJ"},
		{"bytes that use both signs of base64url", bytes.Repeat([]byte{0xfb}, 32), "clvs_-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s36fkZV"},
		{
			"bytes whose checksum begins with zeros",
			[]byte("\x0a\x2d\x64\x3b\xfd\x24\xa0\x28\xcd\x23\x6e\x76\x57\x5d\x82\x84\x24\xcc\xff\xbf\xa4\x73\x92\xbd\x09\xd8\xca\x9d\xc8\x5e\x2f\x8d"),
			"clvs_Ci1kO_0koCjNI252V12ChCTM_7-kc5K9CdjKncheL4000kB6g",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := credential.GenerateSecret(bytes.NewReader(row.random))
			if err != nil || got.Reveal() != row.want {
				t.Errorf("got %q, %v", got.Reveal(), err)
			}
		})
	}
}

func TestGeneratedSecretShape(t *testing.T) {
	shape := regexp.MustCompile(`^clvs_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}$`)
	random := randomness(1)
	seen := map[string]bool{}
	for range 1000 {
		secret, err := credential.GenerateSecret(random)
		if err != nil {
			t.Fatal(err)
		}
		value := secret.Reveal()
		if !shape.MatchString(value) || url.QueryEscape(value) != value {
			t.Fatalf("%q is not as it should be", value)
		}
		if !credential.IsGeneratedSecret(value) {
			t.Fatalf("%q is not recognised", value)
		}
		if seen[value] {
			t.Fatalf("%q was made twice", value)
		}
		seen[value] = true
	}
}

func TestGenerateSecretNeedsRandomness(t *testing.T) {
	secret, err := credential.GenerateSecret(brokenRandomness())
	if !errors.Is(err, errNoRandomness) || secret.Reveal() != "" {
		t.Errorf("got %q, %v", secret.Reveal(), err)
	}
}

// TestChecksumDetectsOneChange replaces every character by every other byte.
func TestChecksumDetectsOneChange(t *testing.T) {
	secret, err := credential.GenerateSecret(randomness(1))
	if err != nil {
		t.Fatal(err)
	}
	value := secret.Reveal()
	for i := range len(value) {
		for b := range 256 {
			changed := value[:i] + string([]byte{byte(b)}) + value[i+1:]
			if got := credential.IsGeneratedSecret(changed); got != (changed == value) {
				t.Fatalf("%q: got %v", changed, got)
			}
		}
	}
}

func TestIsGeneratedSecret(t *testing.T) {
	const good = "clvs_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh84O7WPJ"
	// withChecksum completes a payload as GenerateSecret would.
	withChecksum := func(payload string) string {
		const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		sum, text := crc32.ChecksumIEEE([]byte(payload)), ""
		for range 6 {
			sum, text = sum/62, string(digits[sum%62])+text
		}
		return "clvs_" + payload + text
	}
	payload := base64.RawURLEncoding.EncodeToString(sequence())
	for _, row := range []struct {
		name  string
		value string
		want  bool
	}{
		{"a generated secret is one", good, true},
		{"a completed payload is one", withChecksum(payload), true},
		{"an empty value is none", "", false},
		{"the prefix alone is none", "clvs_", false},
		{"another prefix is none", "clvx_" + good[5:], false},
		{"a missing prefix is none", good[5:], false},
		{"upper case is none", strings.ToUpper(good), false},
		{"a shorter value is none", good[:len(good)-1], false},
		{"a longer value is none", good + "0", false},
		{"a line break at the end is none", good + "\n", false},
		{"a shorter payload with its checksum is none", withChecksum(payload[:42]), false},
		{"a longer payload with its checksum is none", withChecksum(payload + "A"), false},
		{"a payload with a line break and its checksum is none", withChecksum(payload[:20] + "\n" + payload[21:]), false},
		{"a payload of other characters with its checksum is none", withChecksum("+" + payload[1:]), false},
		{"a payload whose spare bits are set with its checksum is none", withChecksum(payload[:42] + "9"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := credential.IsGeneratedSecret(row.value); got != row.want {
				t.Errorf("%q: got %v", row.value, got)
			}
		})
	}
}
