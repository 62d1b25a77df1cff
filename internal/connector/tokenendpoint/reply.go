// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/outbound"
)

// reply is what came back of a request that was sent.
type reply struct {
	status int
	header http.Header
	body   []byte
	// err is what ended the body before its end, or nil.
	err error
}

// judge says what is known now.
func (r reply) judge(path string, now time.Time) connector.Answer {
	asked := retryAfter(r.header, now)
	answer := r.outcome(path, asked > 0)
	if answer.Outcome != connector.Granted {
		answer.RetryAfter = asked
	}
	broken := r.err != nil && !errors.Is(r.err, outbound.ErrTooLarge)
	answer.Away = answer.Outcome == connector.Unclear && (broken || r.status >= http.StatusInternalServerError)
	return answer
}

// outcome is careful to condemn: what it calls refused is refused by the provider's own OAuth answer, with a status that goes with it.
// Whatever stands between us and the provider, a proxy that fails or a page that says sorry, has no say.
func (r reply) outcome(path string, asked bool) connector.Answer {
	switch {
	case r.status == http.StatusTooManyRequests:
		return connector.Answer{Outcome: connector.Busy, Why: "the provider has had too many requests"}
	case errors.Is(r.err, outbound.ErrTooLarge):
		return unclear("the provider's answer is larger than %d bytes", maxBody)
	case r.err != nil:
		return unclear("the provider answers %d and breaks off", r.status)
	}
	content := parse(r.body)
	switch {
	case r.status/100 == 2:
		return granted(content, path)
	case r.status/100 == 4 && content.failed():
		return refused(content)
	case r.status == http.StatusUnauthorized:
		// It is about the client and nothing else (RFC 6749 section 5.2, RFC 9110 section 15.5.2), so what was presented is kept.
		return connector.Answer{
			Outcome: connector.ClientRefused, Code: oauth.CodeInvalidClient,
			Why: "the provider answers 401: it does not know the client, or not with this secret",
		}
	case r.status == http.StatusServiceUnavailable && asked && content.code() == oauth.CodeTemporarilyUnavailable:
		return refused(content) // by the provider itself, which says for how long; another 503 may be anybody's
	default:
		return unclear("the provider answers %d, and not with an OAuth error", r.status)
	}
}

func unclear(format string, args ...any) connector.Answer {
	return connector.Answer{Outcome: connector.Unclear, Why: fmt.Sprintf(format, args...)}
}
