// SPDX-License-Identifier: Apache-2.0

package politeness_test

import (
	"net/url"
	"testing"

	"github.com/claviger/claviger/internal/connector/politeness"
)

func TestAHostIsOneHoweverItIsWritten(t *testing.T) {
	for _, row := range []struct{ written, want string }{
		{"https://api.example.com/token", "api.example.com:443"},
		{"https://API.Example.com/other?x=1", "api.example.com:443"},
		{"https://api.example.com:443/token", "api.example.com:443"},
		{"https://api.example.com./token", "api.example.com:443"},
		{"http://api.example.com/token", "api.example.com:80"},
		{"https://api.example.com:8443/token", "api.example.com:8443"},
		{"https://[2001:DB8::1]/token", "[2001:db8::1]:443"},
	} {
		endpoint, err := url.Parse(row.written)
		if err != nil {
			t.Fatal(err)
		}
		if got := politeness.NameOf(endpoint); got != row.want {
			t.Errorf("%s is %s, want %s", row.written, got, row.want)
		}
	}
}
