// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// upstream is what is guarded: it tells what it got. Below /.../stream it sends events as the test releases them.
type upstream struct {
	address string
	// release lets the next event of a stream go.
	release chan struct{}
}

// echo is what the upstream got.
type echo struct {
	Header http.Header
	URI    string
	Body   string
}

func startUpstream() *upstream {
	u := &upstream{release: make(chan struct{})}
	u.address = serve(u)
	return u
}

// ServeHTTP tells what it got.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/stream"):
		u.stream(w, r)
		return
	case strings.HasSuffix(r.URL.Path, "/forbidden"): // the upstream's own refusal is its own
		w.Header().Set("WWW-Authenticate", `Bearer realm="upstream"`)
		w.WriteHeader(http.StatusForbidden)
		return
	}
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(echo{Header: r.Header, URI: r.RequestURI, Body: string(body)})
}

// events is how many a stream has.
const events = 3

func (u *upstream) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range events {
		fmt.Fprintf(w, "data: %d\n\n", i)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-u.release:
		case <-r.Context().Done():
			return
		}
	}
}

// serve serves a handler on loopback until the suite ends, and gives its address.
func serve(handler http.Handler) string {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	DeferCleanup(server.Close)
	return listener.Addr().String()
}
