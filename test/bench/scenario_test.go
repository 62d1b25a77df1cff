// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/server"
)

// scenario is one hot path and its floor, which answer the same call.
type scenario struct {
	name        string
	call        call
	ours, floor http.Handler
	// allocations bounds those of one request, without net/http's own for a connection.
	allocations float64
}

const verifyPath = server.PathVerify + "?scope=Webhook&account=acme"

func scenarios(t testing.TB) []scenario {
	t.Helper()
	var all []scenario
	for _, algorithm := range keyring.Algorithms() {
		s := newSubject(t, algorithm, app.DefaultTokenCacheSize)
		all = append(all, scenario{"issue, " + algorithm, s.issueCall(), s.handler, s.issueFloor(), issueAllocations[algorithm]})
	}
	cached, uncached := newSubject(t, keyring.AlgorithmES256, app.DefaultTokenCacheSize), newSubject(t, keyring.AlgorithmES256, 0)
	token := cached.token(t)
	introspection := call{path: server.PathIntrospect, form: cached.clientForm() + "&token=" + token}
	return append(all,
		scenario{"verify, known token", call{path: verifyPath, bearer: token}, cached.handler, http.HandlerFunc(verifyFloor), verifyAllocations},
		scenario{"verify, new token", call{path: verifyPath, bearer: uncached.token(t)}, uncached.handler, uncached.verifySignatureFloor(), verifyNewAllocations},
		scenario{"introspect", introspection, cached.handler, cached.introspectFloor(), introspectAllocations},
	)
}

// call is a request: a GET with a bearer token, or a POST of a form.
type call struct{ path, bearer, form string }

func (c call) method() string {
	if c.form == "" {
		return http.MethodGet
	}
	return http.MethodPost
}

func (c call) header() http.Header {
	if c.form == "" {
		return http.Header{"Authorization": {"Bearer " + c.bearer}}
	}
	return http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
}

// request gives it as a server has read it.
func (c call) request() *http.Request {
	r := httptest.NewRequest(c.method(), c.path, strings.NewReader(c.form))
	r.Header = c.header()
	return r
}

// wire gives it as it is sent.
func (c call) wire() []byte {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n", c.method(), c.path, len(c.form))
	_ = c.header().Write(&text)
	return []byte(text.String() + "\r\n" + c.form)
}

// again gives a function that has a handler answer the call, and gives the status. Beside the handler that costs a copy of the
// request, for ours and the floor alike. It is not for concurrent use.
func (c call) again(handler http.Handler) func() int {
	template, body, answer := c.request(), strings.NewReader(c.form), &writer{header: http.Header{}}
	return func() int {
		request := *template
		body.Reset(c.form)
		request.Body = io.NopCloser(body)
		clear(answer.header)
		answer.status = http.StatusOK
		handler.ServeHTTP(answer, &request)
		return answer.status
	}
}

// writer is the least that a handler can write to.
type writer struct {
	header http.Header
	status int
}

func (w *writer) Header() http.Header          { return w.header }
func (*writer) Write(body []byte) (int, error) { return len(body), nil }
func (w *writer) WriteHeader(status int)       { w.status = status }
