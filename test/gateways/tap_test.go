// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// tap passes questions on to the token service, and notes them.
type tap struct {
	address string
	proxy   *httputil.ReverseProxy

	// down: the token service cannot be reached.
	down atomic.Bool

	mutex sync.Mutex
	last  question
}

// question is what a gateway asked.
type question struct {
	Method string
	URI    string
	Header http.Header
	Body   string
}

func startTap(service string) *tap {
	GinkgoHelper()
	target, err := url.Parse(service)
	Expect(err).NotTo(HaveOccurred())
	t := &tap{proxy: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}}
	t.address = serve(t)
	return t
}

// ServeHTTP notes the question and passes it on.
func (t *tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if t.down.Load() {
		panic(http.ErrAbortHandler) // closes the connection
	}
	body, _ := io.ReadAll(r.Body)
	t.mutex.Lock()
	t.last = question{Method: r.Method, URI: r.RequestURI, Header: r.Header.Clone(), Body: string(body)}
	t.mutex.Unlock()
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	t.proxy.ServeHTTP(w, r)
}

// question gives the last one.
func (t *tap) question() question {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.last
}
