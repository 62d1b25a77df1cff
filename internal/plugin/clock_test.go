// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestServerClock: tokens die by the clock of the cluster where that of this machine is behind.
func TestServerClock(t *testing.T) {
	for _, row := range []struct {
		name, date string
		want       time.Time
	}{
		{"a server ahead of us", noon.Add(time.Hour).Format(http.TimeFormat), noon.Add(time.Hour)},
		{"a server behind us", noon.Add(-time.Hour).Format(http.TimeFormat), noon},
		{"a server that tells no time", "soon", noon},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Date", row.date) }))
			defer server.Close()
			clock := &serverClock{}
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
			response, err := clock.wrap(http.DefaultTransport).RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			if err := response.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if got := clock.later(noon); !got.Equal(row.want) {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestClaimsAndAWrongClock: a token is revoked although the clock of this machine says that it is not good now.
func TestClaimsAndAWrongClock(t *testing.T) {
	at := func(d time.Duration) *seconds { return new(seconds(noon.Add(d).Unix())) }
	for _, row := range []struct {
		name   string
		read   claims
		long   bool
		within time.Time
	}{
		{"a good token", claims{Issued: at(-time.Minute), Expires: at(time.Hour)}, false, noon},
		{"one of the future", claims{Issued: at(time.Hour), Expires: at(2 * time.Hour)}, false, noon.Add(time.Hour)},
		{"one that has expired today", claims{Issued: at(-2 * time.Hour), Expires: at(-time.Hour)}, false, noon.Add(-time.Hour - time.Second)},
		{"one that expired a day ago", claims{Issued: at(-25 * time.Hour), Expires: at(-24 * time.Hour)}, true, noon.Add(-24*time.Hour - time.Second)},
		{"one beyond all dates", claims{Issued: at(0), Expires: new(seconds(1e300))}, false, noon},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.read.longExpired(noon); got != row.long {
				t.Errorf("long expired: %v", got)
			}
			if got := row.read.within(noon); !got.Equal(row.within) {
				t.Errorf("within: %s", got)
			}
		})
	}
	if got := seconds(1e300).moment(noon); got != "beyond the year 9999" {
		t.Errorf("got %q", got)
	}
}
