// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"errors"
	"io"
	"net/http"
)

// passTrailers lets the trailers of a request through that its caller announced, but for those that only the gate may set.
// They come with the end of the body, after the headers were copied; trailers that were not announced are dropped, because no
// header of the outbound request can announce them any more.
func (g *Gate) passTrailers(in, out *http.Request) {
	if len(in.Trailer) == 0 || out.Body == nil {
		return
	}
	g.stripTrailers(out.Trailer)
	out.Body = &trailed{ReadCloser: out.Body, in: in, out: out}
}

// trailed is a body that hands over the trailers at its end.
type trailed struct {
	io.ReadCloser

	in, out *http.Request
}

func (t *trailed) Read(buffer []byte) (int, error) {
	n, err := t.ReadCloser.Read(buffer)
	if errors.Is(err, io.EOF) {
		for name := range t.out.Trailer {
			t.out.Trailer[name] = t.in.Trailer[name]
		}
	}
	return n, err //nolint:wrapcheck // a reader's error is what its readers compare with
}
