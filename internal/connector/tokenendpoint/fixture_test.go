// SPDX-License-Identifier: Apache-2.0

package tokenendpoint_test

import (
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/egress"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/leak"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// What must not be told.
const (
	clientSecret = "client+secret/0123456789 ä:&="
	presented    = "presented-refresh-token-0123456789"
	inTheQuery   = "query-key-0123456789"
	given        = "given-access-token-0123456789"
	successor    = "given-refresh-token-0123456789"
	toldSecretly = "told-by-the-provider-0123456789"
)

// provider is a token endpoint that answers as a test says.
type provider struct {
	URL    string
	caFile string
	asked  atomic.Int64
}

func newProvider(t *testing.T, handler http.HandlerFunc) *provider {
	t.Helper()
	p := &provider{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		_ = r.ParseForm()
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	p.URL, p.caFile = server.URL+"/token?key="+inTheQuery, filepath.Join(t.TempDir(), "ca.crt")
	content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(p.caFile, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// client trusts the provider, and gives up after a second.
func (p *provider) client() *tokenendpoint.Client {
	return &tokenendpoint.Client{
		HTTP: egress.New(egress.Options{
			AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, AllowHTTP: true, Timeout: time.Second, CAFile: p.caFile,
		}),
		Now: func() time.Time { return noon }, Random: rand.Reader,
	}
}

func refresh(url string) tokenendpoint.Request {
	return tokenendpoint.Request{
		TokenURL: url,
		Client:   tokenendpoint.Credentials{ID: "client", Secret: oauth.NewSecret(clientSecret), Style: v1alpha1.AuthStyleBasic},
		Grant:    tokenendpoint.RefreshToken{Token: oauth.NewSecret(presented)},
	}
}

// listen serves every connection with a function, on a goroutine of its own, and counts them.
func listen(t *testing.T, serve func(net.Conn)) (string, *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	count := &atomic.Int64{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return listener.Addr().String(), count
}

// checkSilent: what is for people tells nothing that is not.
func checkSilent(t *testing.T, answer connector.Answer) {
	t.Helper()
	secrets := []string{clientSecret, presented, inTheQuery, given, successor, toldSecretly}
	if found := leak.Find(answer.Why+" "+answer.Code, slices.Values(secrets)); found != "" {
		t.Errorf("%q gives %q away", answer.Why, found)
	}
	if (answer.Why == "") != (answer.Outcome == connector.Granted) {
		t.Errorf("%d says why: %q", answer.Outcome, answer.Why)
	}
}

func says(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
