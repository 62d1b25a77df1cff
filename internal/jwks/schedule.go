// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The keys are fetched again after the time for which the answer may be kept, within these bounds. The upper one is what it
// takes at most until a key that was withdrawn, because it is compromised, is refused here too.
const (
	minRefresh = 10 * time.Second
	maxRefresh = time.Minute
)

// The waits between attempts that fail.
const (
	minBackoff = time.Second
	maxBackoff = 30 * time.Second
)

// refreshAfter reads the freshness lifetime of an answer (RFC 9111 section 4.2.1) from max-age and Age.
func refreshAfter(header http.Header) time.Duration {
	for directive := range strings.SplitSeq(header.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if !strings.EqualFold(name, "max-age") {
			continue
		}
		seconds, err := strconv.ParseInt(strings.Trim(value, `"`), 10, 32)
		if err != nil {
			break
		}
		if age, err := strconv.ParseInt(header.Get("Age"), 10, 32); err == nil && age > 0 {
			seconds -= age
		}
		return min(max(time.Duration(seconds)*time.Second, minRefresh), maxRefresh)
	}
	return minRefresh
}

// backoff doubles from the first failure on.
func backoff(failures int) time.Duration {
	wait := minBackoff
	for range min(failures-1, 10) {
		wait *= 2
	}
	return min(wait, maxBackoff)
}
