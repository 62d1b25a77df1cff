// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/stop"
)

// TestNobodyIsCutOffByAServerThatStops: a client that keeps its connection, and asks by what cannot be asked twice, has an answer to
// every request, and leaves by itself before the port is closed.
func TestNobodyIsCutOffByAServerThatStops(t *testing.T) {
	for _, row := range []struct {
		protocol, negotiated string
	}{
		{"HTTP/1.1", "http/1.1"},
		{"HTTP/2.0", "h2"},
	} {
		t.Run(row.protocol, func(t *testing.T) {
			t.Parallel()
			f, listener := open(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				plan := stop.Plan{Delay: 3 * time.Second, Grace: time.Second}
				ended <- server.Serve(ctx, server.Secure(listener, f.get, tls.VersionTLS12), http.HandlerFunc(tellProtocol), plan)
			}()
			client := &http.Client{Transport: &http.Transport{
				TLSClientConfig:   &tls.Config{RootCAs: f.trusted, ServerName: host, NextProtos: []string{row.negotiated}, MinVersion: tls.VersionTLS12},
				ForceAttemptHTTP2: row.negotiated == "h2",
			}}
			ask := func() (*http.Response, error) {
				answer, err := client.Post("https://"+f.address, "text/plain", strings.NewReader("once"))
				if err != nil {
					return nil, err
				}
				defer answer.Body.Close()
				if body, err := io.ReadAll(answer.Body); err != nil || string(body) != row.protocol {
					t.Errorf("got %d %q, %v", answer.StatusCode, body, err)
				}
				return answer, nil
			}
			for i := range 25 {
				if i == 20 {
					cancel()
				}
				answer, err := ask()
				switch {
				case err != nil:
					t.Fatalf("request %d came to grief: %v", i, err)
				case row.negotiated != "h2" && answer.Close != (i >= 20): // HTTP/2 says it to the connection and not to the answer
					t.Errorf("request %d: the answer closes its connection: %v", i, answer.Close)
				}
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if _, err := ask(); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

// TestAChangeOfProtocolIsLeftAlone: its answer says itself what becomes of the connection.
func TestAChangeOfProtocolIsLeftAlone(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		ctx     context.Context
		upgrade string
		want    string
	}{
		{t.Context(), "", ""},
		{ended, "", "close"},
		{ended, "websocket", ""},
	} {
		answer := httptest.NewRecorder()
		handler := stop.Farewell(row.ctx, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		request := &http.Request{Header: http.Header{}}
		if row.upgrade != "" {
			request.Header.Set("Upgrade", row.upgrade)
		}
		handler.ServeHTTP(answer, request)
		if got := answer.Header().Get("Connection"); got != row.want {
			t.Errorf("ended %v, Upgrade %q: Connection is %q, want %q", row.ctx.Err() != nil, row.upgrade, got, row.want)
		}
	}
}
