// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"net/http"
	"testing"
	"time"
)

func TestRefreshAfter(t *testing.T) {
	for _, row := range []struct {
		name, cacheControl, age string
		want                    time.Duration
	}{
		{"what the token service says is longer than a withdrawn key may live", "public, max-age=300", "", time.Minute},
		{"a time within the bounds", "max-age=30", "", 30 * time.Second},
		{"a cache has kept it for a while", "max-age=30", "12", 18 * time.Second},
		{"a cache has kept it for too long", "max-age=30", "500", minRefresh},
		{"an issuer that would be asked all the time", "max-age=0", "", minRefresh},
		{"quoted, which some do", `max-age="45"`, "", 45 * time.Second},
		{"nothing is said", "", "", minRefresh},
		{"it must not be kept", "no-store", "", minRefresh},
		{"nonsense", "max-age=soon", "", minRefresh},
		{"more than a number can be", "max-age=99999999999999999999", "", minRefresh},
		{"a negative age", "max-age=30", "-5", 30 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			header := http.Header{"Cache-Control": {row.cacheControl}, "Age": {row.age}}
			if got := refreshAfter(header); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	for failures, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 6: maxBackoff, 1000: maxBackoff} {
		if got := backoff(failures); got != want {
			t.Errorf("after %d failures: got %v, want %v", failures, got, want)
		}
	}
}
