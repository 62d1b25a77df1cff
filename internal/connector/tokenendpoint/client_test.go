// SPDX-License-Identifier: Apache-2.0

package tokenendpoint_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/connector"
)

// receive reads a request to its end.
func receive(conn net.Conn) {
	if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

// reset ends a connection with RST.
func reset(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }

// TestWhatBecomesOfAConnection: a request is sent once at most, and is NotSent only where that is certain.
func TestWhatBecomesOfAConnection(t *testing.T) {
	for _, row := range []struct {
		name, scheme string
		serve        func(net.Conn)
		want         connector.Outcome
	}{
		{"it is reset before there is TLS", "https://", func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)); reset(conn) }, connector.NotSent},
		{"it is closed before there is TLS", "https://", func(net.Conn) {}, connector.NotSent},
		{"it is silent before there is TLS", "https://", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, connector.NotSent},
		{"it is not of a host that is trusted", "https://", func(conn net.Conn) { _ = tls.Server(conn, &tls.Config{}).Handshake() }, connector.NotSent},
		{"it is reset while the request is written", "http://", func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)); reset(conn) }, connector.Unclear},
		{"it is reset after the request", "http://", func(conn net.Conn) { receive(conn); reset(conn) }, connector.Unclear},
		{"it is closed after the request", "http://", receive, connector.Unclear},
		{"it is silent after the request", "http://", func(conn net.Conn) { receive(conn); _, _ = io.Copy(io.Discard, conn) }, connector.Unclear},
		{"it is slow", "http://", func(conn net.Conn) {
			receive(conn)
			for _, c := range []byte("HTTP/1.1 200 OK\r\n\r\n" + `{"access_token":"` + given + `"}`) {
				time.Sleep(100 * time.Millisecond)
				if _, err := conn.Write([]byte{c}); err != nil {
					return
				}
			}
		}, connector.Unclear},
		{"it is closed within the answer", "http://", func(conn net.Conn) {
			receive(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"+`{"access_token":"`+given+`"}`)
		}, connector.Unclear},
		{"it is reset within an error", "http://", func(conn net.Conn) {
			receive(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 500\r\n\r\n"+`{"error":"invalid_grant"}`)
			reset(conn)
		}, connector.Unclear},
		{"it speaks no HTTP", "http://", func(conn net.Conn) { receive(conn); _, _ = io.WriteString(conn, toldSecretly+"\r\n\r\n") }, connector.Unclear},
		{"it is switched to another protocol", "http://", func(conn net.Conn) {
			receive(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn)
		}, connector.Unclear},
		{"it is good", "http://", func(conn net.Conn) {
			receive(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n"+`{"access_token":"`+given+`"}`)
		}, connector.Granted},
	} {
		t.Run(row.name, func(t *testing.T) {
			address, count := listen(t, row.serve)
			answer := (&provider{}).client().Do(t.Context(), refresh(row.scheme+address+"/token?key="+inTheQuery))
			if answer.Outcome != row.want || count.Load() != 1 || answer.Away != (row.want != connector.Granted) {
				t.Errorf("got %+v after %d connections", answer, count.Load())
			}
			checkSilent(t, answer)
		})
	}
	t.Run("there is none", func(t *testing.T) {
		listener, _ := net.Listen("tcp", "127.0.0.1:0")
		_ = listener.Close()
		answer := (&provider{}).client().Do(t.Context(), refresh("https://"+listener.Addr().String()+"/?key="+inTheQuery))
		if answer.Outcome != connector.NotSent || !answer.Away {
			t.Errorf("got %+v", answer)
		}
		checkSilent(t, answer)
	})
}

// TestWhoIsInAHurry may give a request up before it is sent. An answer that has tokens in it is waited for.
func TestWhoIsInAHurry(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	provider := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		time.Sleep(100 * time.Millisecond)
		says(200, asJSON, `{"access_token":"`+given+`"}`)(w, r)
	})
	answer := provider.client().Do(ctx, refresh(provider.URL))
	if answer.Outcome != connector.Granted || answer.Tokens.Access.Reveal() != given {
		t.Errorf("one that was sent: got %+v", answer)
	}
	answer = provider.client().Do(ctx, refresh(provider.URL))
	if answer.Outcome != connector.NotSent || answer.Away || provider.asked.Load() != 1 {
		t.Errorf("one that was not: got %+v after %d requests", answer, provider.asked.Load())
	}
	checkSilent(t, answer)
}
