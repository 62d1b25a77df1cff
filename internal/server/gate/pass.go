// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// lingering bounds how long the rest of a body is awaited that the upstream did not want.
const lingering = 5 * time.Second

// pass hands a call to the upstream. From here on it may last, for its token ends it. The bounds in time that the HTTP server puts on
// every request stay on those without a token that is good, whose body it may still read to keep the connection.
func (g *Gate) pass(w http.ResponseWriter, r *http.Request, c *call) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // fails where there is no connection, and so no bound
	_ = control.SetWriteDeadline(time.Time{})
	if r.ProtoMajor == 1 && r.ContentLength != 0 {
		// Else the HTTP server would take the whole body before an answer may begin.
		_ = control.EnableFullDuplex()
		c.body = &body{ReadCloser: r.Body}
		r.Body = c.body
	}
	g.proxy.ServeHTTP(w, r)
	if c.body.underWay() {
		_ = control.SetReadDeadline(g.Now().Add(lingering))
	}
}

// body is that of a request of HTTP/1, of which it knows whether all was read.
type body struct {
	io.ReadCloser

	ended atomic.Bool
}

func (b *body) Read(buffer []byte) (int, error) {
	n, err := b.ReadCloser.Read(buffer)
	if errors.Is(err, io.EOF) {
		b.ended.Store(true)
	}
	return n, err //nolint:wrapcheck // a reader's error is what its readers compare with
}

// underWay reports whether there is a body of which not all was read. Then the connection can have no next request: the HTTP
// server, which does not wait for the rest, would read it at the same time as that.
func (b *body) underWay() bool { return b != nil && !b.ended.Load() }

// closeAfter has the connection closed after an answer that begins while the body is under way.
func (c *call) closeAfter(header http.Header) {
	if c.body.underWay() {
		header.Set("Connection", "close")
	}
}
