// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/claviger/claviger/internal/pki"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/stop"
)

const host = "localhost"

// fixture is a server that speaks TLS, with a certificate that can be changed.
type fixture struct {
	t       *testing.T
	address string
	trusted *x509.CertPool
	served  atomic.Pointer[tls.Certificate]
	stored  pki.Authorities
}

func start(t *testing.T, minVersion uint16) *fixture {
	t.Helper()
	f, listener := open(t)
	f.serve(t.Context(), listener, minVersion)
	return f
}

// open makes one whose port nobody serves yet.
func open(t *testing.T) (*fixture, net.Listener) {
	t.Helper()
	f := &fixture{t: t, trusted: x509.NewCertPool()}
	f.renew()
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.address = listener.Addr().String()
	return f, listener
}

// tellProtocol answers with the protocol of the request.
func tellProtocol(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }

func (f *fixture) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.served.Load(), nil }

func (f *fixture) serve(ctx context.Context, listener net.Listener, minVersion uint16) {
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(done)
		if err := server.Serve(ctx, server.Secure(listener, f.get, minVersion), http.HandlerFunc(tellProtocol), stop.Plan{Grace: time.Second}); err != nil {
			f.t.Error(err)
		}
	}()
	f.t.Cleanup(func() { cancel(); <-done })
}

// renew puts another certificate of the same authority in the place of the one that is served.
func (f *fixture) renew() {
	f.t.Helper()
	observed := pki.Observed{Names: []string{host}, Now: time.Now()}
	if f.served.Load() != nil {
		observed.Authorities = &f.stored
	}
	plan, err := pki.MakePlan(rand.Reader, observed)
	if err != nil {
		f.t.Fatal(err)
	}
	f.stored = plan.Authorities
	f.trusted.AppendCertsFromPEM([]byte(plan.Serving.Bundle()))
	f.served.Store(plan.Serving.TLS())
}

// handshake connects with a configuration of the client's choice.
func (f *fixture) handshake(change func(*tls.Config)) (tls.ConnectionState, error) {
	f.t.Helper()
	config := &tls.Config{RootCAs: f.trusted, ServerName: host, MinVersion: tls.VersionTLS10, NextProtos: []string{"h2", "http/1.1"}}
	change(config)
	dialer := &tls.Dialer{Config: config}
	connection, err := dialer.DialContext(f.t.Context(), "tcp", f.address)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer connection.Close()
	return connection.(*tls.Conn).ConnectionState(), nil
}

func TestHandshakes(t *testing.T) {
	only := func(suite uint16) func(*tls.Config) {
		return func(c *tls.Config) { c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{suite} }
	}
	upTo := func(version uint16) func(*tls.Config) { return func(c *tls.Config) { c.MaxVersion = version } }
	for _, row := range []struct {
		name    string
		from    uint16
		client  func(*tls.Config)
		version uint16 // 0: refused
	}{
		{"whatever a client likes best", tls.VersionTLS12, func(*tls.Config) {}, tls.VersionTLS13},
		{"TLS 1.0", tls.VersionTLS12, upTo(tls.VersionTLS10), 0},
		{"TLS 1.1", tls.VersionTLS12, upTo(tls.VersionTLS11), 0},
		{"TLS 1.2", tls.VersionTLS12, upTo(tls.VersionTLS12), tls.VersionTLS12},
		{"TLS 1.2 where 1.3 is asked for", tls.VersionTLS13, upTo(tls.VersionTLS12), 0},
		{"TLS 1.3 where 1.3 is asked for", tls.VersionTLS13, func(*tls.Config) {}, tls.VersionTLS13},
		{"AES-GCM", tls.VersionTLS12, only(tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), tls.VersionTLS12},
		{"ChaCha20", tls.VersionTLS12, only(tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256), tls.VersionTLS12},
		{"CBC", tls.VersionTLS12, only(tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA), 0},
		{"CBC with SHA-256", tls.VersionTLS12, only(tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256), 0},
		{"RC4", tls.VersionTLS12, only(tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA), 0},
		{"key exchange by RSA", tls.VersionTLS12, only(tls.TLS_RSA_WITH_AES_128_GCM_SHA256), 0},
		{"3DES", tls.VersionTLS12, only(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := start(t, row.from)
			state, err := f.handshake(row.client)
			if (err != nil) != (row.version == 0) {
				t.Fatalf("got %v", err)
			}
			if row.version != 0 && (state.Version != row.version || state.NegotiatedProtocol != "h2") {
				t.Errorf("got version %x, protocol %q", state.Version, state.NegotiatedProtocol)
			}
		})
	}
}

// TestProtocols: requests arrive by HTTP/2 and by HTTP/1.1, as the client likes.
func TestProtocols(t *testing.T) {
	f := start(t, tls.VersionTLS12)
	for _, row := range []struct {
		http2 bool
		want  string
	}{{true, "HTTP/2.0"}, {false, "HTTP/1.1"}} {
		client := f.client(row.http2)
		if got, err := f.call(client); err != nil || got != row.want {
			t.Errorf("got %q, %v; want %q", got, err, row.want)
		}
		client.CloseIdleConnections()
	}
}

func (f *fixture) client(http2 bool) *http.Client {
	return &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: http2, TLSClientConfig: &tls.Config{RootCAs: f.trusted, ServerName: host, MinVersion: tls.VersionTLS12},
	}}
}

// call gives the answer to a request: the protocol as the server saw it.
func (f *fixture) call(client *http.Client) (string, error) {
	request, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, "https://"+f.address, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// TestPlainHTTPIsToldSo: whoever forgets the s of https learns of it.
func TestPlainHTTPIsToldSo(t *testing.T) {
	f := start(t, tls.VersionTLS12)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+f.address+"/oauth/token", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "HTTP request to an HTTPS server") {
		t.Errorf("got %d: %s", response.StatusCode, text)
	}
}

// TestRenewalUnderLoad: new connections get the new certificate, those that are open go on, and no request fails.
func TestRenewalUnderLoad(t *testing.T) {
	const workers, renewals, rounds = 4, 20, 10
	f := start(t, tls.VersionTLS12)
	var clients sync.WaitGroup
	var done atomic.Int64
	stop := make(chan struct{})
	for i := range workers {
		kept, fresh := f.client(i%2 == 0), f.client(i%2 == 0)
		defer kept.CloseIdleConnections()
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, client := range []*http.Client{kept, fresh} {
					if _, err := f.call(client); err != nil {
						t.Error(err)
					}
				}
				fresh.CloseIdleConnections()
				done.Add(1)
			}
		})
	}
	seen := map[string]bool{}
	for range renewals {
		f.renew()
		for target := done.Load() + rounds; done.Load() < target && !t.Failed(); {
			state, err := f.handshake(func(*tls.Config) {})
			if err != nil {
				t.Fatal(err)
			}
			if !state.PeerCertificates[0].Equal(f.served.Load().Leaf) {
				t.Fatal("an old certificate is served")
			}
			seen[state.PeerCertificates[0].SerialNumber.String()] = true
		}
	}
	close(stop)
	clients.Wait()
	if len(seen) != renewals {
		t.Errorf("%d certificates were served", len(seen))
	}
}

// pipes is a listener whose connections are in memory, where a test tells the time.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case connection := <-p.connections:
		return connection, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }
func (*pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// TestSlowHandshakes: who connects and says nothing, or stops in the middle, is cut off.
func TestSlowHandshakes(t *testing.T) {
	for name, beginning := range map[string]string{
		"nothing is said":             "",
		"it stops after the header":   "\x16\x03\x01\x02\x00",
		"it stops within the message": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fixture{t: t, trusted: x509.NewCertPool()}
				f.renew()
				listener := &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
				f.serve(t.Context(), listener, tls.VersionTLS12)
				ours, theirs := net.Pipe()
				listener.connections <- theirs
				began := time.Now()
				if _, err := io.WriteString(ours, beginning); err != nil {
					t.Fatal(err)
				}
				_, _ = bufio.NewReader(ours).ReadByte()                   // returns when the server gives up
				if waited := time.Since(began); waited != 5*time.Second { // of the time that a test tells
					t.Errorf("it was cut off after %v", waited)
				}
			})
		})
	}
}
