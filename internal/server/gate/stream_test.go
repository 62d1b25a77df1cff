// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/websocket"

	"github.com/claviger/claviger/internal/server/gate"
)

// TestEventsPassOneByOne: the upstream sends the next event only when the caller has the one before, so that whoever holds one
// back holds up everything.
func TestEventsPassOneByOne(t *testing.T) {
	received := make(chan struct{})
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, event := range []string{"one", "two", "three"} {
			_, _ = io.WriteString(w, "data: "+event+"\n\n")
			_ = http.NewResponseController(w).Flush()
			<-received
		}
	})
	response, err := w.client.Do(w.request(t, http.MethodGet, "/events", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	for _, event := range []string{"one", "two", "three"} {
		for _, want := range []string{"data: " + event + "\n", "\n"} {
			if line, err := lines.ReadString('\n'); err != nil || line != want {
				t.Fatalf("got %q, %v", line, err)
			}
		}
		if open := w.metric(t, "claviger_gate_open_streams", ""); open != 1 {
			t.Errorf("%v open streams", open)
		}
		received <- struct{}{}
	}
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("got %q, %v at the end", rest, err)
	}
}

// TestBothWaysAtOnce: what the caller sends arrives while the answer is under way, piece by piece.
func TestBothWaysAtOnce(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		w.WriteHeader(http.StatusOK)
		_ = control.Flush()
		for lines := bufio.NewScanner(r.Body); lines.Scan(); {
			_, _ = io.WriteString(w, strings.ToUpper(lines.Text())+"\n")
			_ = control.Flush()
		}
	})
	sends, writes := io.Pipe()
	response, err := w.client.Do(w.request(t, http.MethodPost, "/", sends))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	for _, word := range []string{"one", "two"} {
		if _, err := io.WriteString(writes, word+"\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := lines.ReadString('\n'); err != nil || line != strings.ToUpper(word)+"\n" {
			t.Fatalf("got %q, %v", line, err)
		}
	}
	_ = writes.Close()
}

func TestBigBodiesPassBothWays(t *testing.T) {
	big := make([]byte, 24<<20)
	_, _ = rand.Read(big)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		sum := sha256.New()
		if _, err := io.Copy(sum, r.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("X-Sum", hex.EncodeToString(sum.Sum(nil)))
		_, _ = w.Write(big)
	})
	response, body := w.do(t, w.request(t, http.MethodPut, "/", bytes.NewReader(big)))
	sum := sha256.Sum256(big)
	if response.Header.Get("X-Sum") != hex.EncodeToString(sum[:]) {
		t.Error("the upstream got another body")
	}
	if body != string(big) {
		t.Error("the caller got another body")
	}
}

// TestNoBodyIsTakenFromWhoIsRefused: a caller that asks first (Expect: 100-continue) need not send what nobody will read.
func TestNoBodyIsTakenFromWhoIsRefused(t *testing.T) {
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
	if got := w.raw(t, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"); got != 401 {
		t.Errorf("got %d", got)
	}
}

func TestTrailers(t *testing.T) {
	trailers := make(chan http.Header, 1)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.Copy(w, r.Body)
		trailers <- r.Trailer
		w.Header().Set("X-Sum", "42")
		w.Header().Set(http.TrailerPrefix+"X-Late", "1")
	})
	request := w.request(t, http.MethodPost, "/", io.MultiReader(strings.NewReader("body"))) // of no stated length, so chunked
	request.Trailer = http.Header{
		"X-Own": {"1"}, "X-Claviger-Account": {"forged"}, "X_Claviger_Account": {"forged"}, "Authorization": {"forged"}, "X-Cyclr-Account": {"forged"},
	}
	response, body := w.do(t, request)
	if body != "body" || response.Trailer.Get("X-Sum") != "42" || response.Trailer.Get("X-Late") != "1" {
		t.Errorf("got %q with %v", body, response.Trailer)
	}
	if got := <-trailers; len(got) != 1 || got.Get("X-Own") != "1" {
		t.Errorf("the upstream got the trailers %v", got)
	}

	t.Run("that were not announced", func(t *testing.T) {
		w.raw(t, "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nTrailer: X-Own\r\nTransfer-Encoding: chunked\r\n\r\n"+
			"0\r\nX-Own: 1\r\nX-Claviger-Account: forged\r\n\r\n")
		if got := <-trailers; len(got) != 1 || got.Get("X-Own") != "1" {
			t.Errorf("the upstream got the trailers %v", got)
		}
	})
}

func TestAnswersPassAsTheyCome(t *testing.T) {
	for _, status := range []int{200, 204, 301, 304, 401, 404, 418, 500, 503} {
		w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "Own")
			w.Header().Set("Location", "/elsewhere")
			w.Header().Set("X-Claviger-Account", "the upstream's own")
			w.WriteHeader(status)
		})
		w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		response, _ := w.do(t, w.request(t, http.MethodGet, "/", nil))
		if response.StatusCode != status || response.Header.Get("WWW-Authenticate") != "Own" || response.Header.Get("Location") != "/elsewhere" {
			t.Errorf("%d became %d with %v", status, response.StatusCode, response.Header)
		}
	}
}

// dial opens a WebSocket that echoes.
func (w *world) dial(t *testing.T) *websocket.Conn {
	t.Helper()
	config, err := websocket.NewConfig(strings.Replace(w.URL, "http", "ws", 1)+"/socket", "http://app.example")
	if err != nil {
		t.Fatal(err)
	}
	config.Header.Set("Authorization", "Bearer good")
	config.Header.Set("X-Claviger-Account", "forged")
	connection, err := config.DialContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// echo is an upstream that says who called and echoes every message.
func echo() http.HandlerFunc {
	server := websocket.Server{Handler: func(connection *websocket.Conn) {
		_ = websocket.Message.Send(connection, connection.Request().Header.Get("X-Claviger-Account"))
		for {
			var message string
			if websocket.Message.Receive(connection, &message) != nil || websocket.Message.Send(connection, message) != nil {
				return
			}
		}
	}}
	return server.ServeHTTP
}

func TestWebSockets(t *testing.T) {
	w := newWorld(t, echo())
	connection := w.dial(t)
	var message string
	if err := websocket.Message.Receive(connection, &message); err != nil || message != "acme" {
		t.Fatalf("the upstream was told %q, %v", message, err)
	}
	for _, sent := range []string{"one", strings.Repeat("x", 1<<20)} {
		if err := websocket.Message.Send(connection, sent); err != nil {
			t.Fatal(err)
		}
		if err := websocket.Message.Receive(connection, &message); err != nil || message != sent {
			t.Fatalf("got %d bytes back, %v", len(message), err)
		}
	}
	if w.Open() != 1 {
		t.Errorf("%d calls are open", w.Open())
	}
}

// TestASlowCallerCostsNoMemory: what an upstream sends faster than a caller reads stays with the upstream.
func TestASlowCallerCostsNoMemory(t *testing.T) {
	const total = 256 << 20
	sent := make(chan int, 1)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		n, chunk := 0, make([]byte, 1<<20)
		for n < total && r.Context().Err() == nil {
			written, err := w.Write(chunk)
			n += written
			if err != nil {
				break
			}
		}
		sent <- n
	}, func(*gate.Options) {})
	ctx, cancel := context.WithCancel(t.Context())
	response, err := w.client.Do(w.request(t, http.MethodGet, "/", nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadFull(response.Body, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	cancel() // the caller has gone, and so has the gate's call
	if n := <-sent; n >= total {
		t.Errorf("the upstream could send all of %d bytes", n)
	}
}
