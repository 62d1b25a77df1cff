// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/server/gate"
	"github.com/claviger/claviger/internal/server/source"
)

// raw sends a request as it is written, which no client of Go's would write, and gives the status.
func (w *world) raw(t *testing.T, request string) int {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// TestIdentity: what the upstream is told of the caller is the gate's word and nobody else's.
func TestIdentity(t *testing.T) {
	for _, row := range []struct{ name, lines string }{
		{"nothing is forged", ""},
		{"the headers themselves", "X-Claviger-Account: forged\r\nX-Claviger-Client-Id: forged\r\nX-Claviger-Scope: forged\r\nX-Claviger-Expires: forged\r\n"},
		{"twice", "X-Claviger-Account: forged\r\nX-Claviger-Account: forged\r\n"},
		{"in lower case", "x-claviger-account: forged\r\n"},
		{"in a wild case", "x-CLAVIGER-aCCOUNT: forged\r\n"},
		{"with underscores, which CGI makes the same variable of", "X_Claviger_Account: forged\r\nx_claviger_client_id: forged\r\n"},
		{"with some underscores", "X-Claviger_Account: forged\r\nX_Claviger-Account: forged\r\n"},
		{"with dots, which PHP makes the same variable of", "X.Claviger.Account: forged\r\n"},
		{"with other characters that a name may have", "X!Claviger~Account: forged\r\nX-Claviger^Account: forged\r\n"},
		{"one that does not exist", "X-Claviger-Admin: forged\r\n"},
		{"Connection names them, so that they be removed", "Connection: X-Claviger-Account, X-Claviger-Client-Id\r\n"},
		{"Connection names them and they are there", "X-Claviger-Account: forged\r\nConnection: close, X-Claviger-Account\r\n"},
		{"another spelling of the account header", "X_Cyclr_Account: forged\r\nx.cyclr.account: forged\r\n"},
		{"Connection names the account header", "Connection: X-Cyclr-Account\r\n"},
		{"where a call comes from", "X-Forwarded-For: forged\r\nX-Forwarded-Host: forged\r\nX-Forwarded-Proto: forged\r\nX-Forwarded-Prefix: forged\r\nForwarded: for=forged\r\nX-Real-IP: forged\r\nX_Forwarded_For: forged\r\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var upstream seen
			w := newWorld(t, upstream.serve)
			status := w.raw(t, "GET /orders HTTP/1.1\r\nHost: gate.example\r\nAuthorization: Bearer good\r\nX-Cyclr-Account: acme\r\n"+row.lines+"\r\n")
			if status != 200 {
				t.Fatalf("got %d", status)
			}
			got := upstream.Load().Header
			for name, want := range map[string]string{
				"X-Claviger-Client-Id": "acme.orders", "X-Claviger-Account": "acme", "X-Claviger-Scope": "Webhook MCP",
				"X-Claviger-Expires": "2026-03-01T13:00:00Z", "X-Cyclr-Account": "acme",
				"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "gate.example", "X-Forwarded-Proto": "http",
			} {
				if !slices.Equal(got[name], []string{want}) {
					t.Errorf("%s: got %q, want %q", name, got[name], want)
				}
			}
			for name, values := range got {
				if strings.Contains(strings.Join(values, " "), "forged") {
					t.Errorf("%s: %q got through", name, values)
				}
			}
			if got["Authorization"] != nil {
				t.Error("the upstream has no use for the token")
			}
		})
	}
}

func TestWhatPassesAsItCame(t *testing.T) {
	for _, row := range []struct{ name, target string }{
		{"a plain path", "/orders"},
		{"an escaped path", "/a%2Fb%20c//d/../e"},
		{"a path of two slashes", "//orders"},
		{"a query that does not parse", "/orders?a=%zz;b=1&&c"},
		{"an empty query", "/orders?"},
		{"a long query", "/orders?" + strings.Repeat("a=1&", 2000)},
	} {
		t.Run(row.name, func(t *testing.T) {
			var upstream seen
			w := newWorld(t, upstream.serve)
			w.raw(t, "GET "+row.target+" HTTP/1.1\r\nHost: gate.example\r\nAuthorization: Bearer good\r\nCookie: a=b\r\nAccept-Encoding: br\r\nX-Own: 1\r\nX-Own: 2\r\n\r\n")
			got := upstream.Load()
			if got.RequestURI != row.target {
				t.Errorf("got %q", got.RequestURI)
			}
			for name, want := range map[string][]string{"Cookie": {"a=b"}, "Accept-Encoding": {"br"}, "X-Own": {"1", "2"}, "User-Agent": nil} {
				if !slices.Equal(got.Header[name], want) {
					t.Errorf("%s: got %q", name, got.Header[name])
				}
			}
			if got.Host == "gate.example" {
				t.Error("the upstream's own Host is expected")
			}
		})
	}
}

func TestWhatTheFlagsLetThrough(t *testing.T) {
	var upstream seen
	proxies, err := source.ParseProxies([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, upstream.serve, func(o *gate.Options) {
		o.Upstream.ForwardAuthorization, o.Upstream.PreserveHost, o.Upstream.TrustedProxies = true, true, proxies
	})
	w.raw(t, "GET / HTTP/1.1\r\nHost: gate.example\r\nAuthorization: Bearer good\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: public.example\r\n"+
		"X-Forwarded-Proto: https\r\nForwarded: for=192.0.2.1\r\nX_Forwarded_For: forged\r\nX-Claviger-Account: forged\r\n\r\n")
	got := upstream.Load()
	for name, want := range map[string]string{
		"Authorization": "Bearer good", "X-Forwarded-For": "192.0.2.1, 127.0.0.1", "X-Forwarded-Host": "public.example",
		"X-Forwarded-Proto": "https", "Forwarded": "for=192.0.2.1", "X-Claviger-Account": "acme", "X_forwarded_for": "",
	} {
		if strings.Join(got.Header.Values(name), "|") != want {
			t.Errorf("%s: got %q, want %q", name, got.Header.Values(name), want)
		}
	}
	if got.Host != "gate.example" {
		t.Errorf("got Host %q", got.Host)
	}
}

// TestNoForwardProxy: a gate serves one upstream, and tunnels to nobody.
func TestNoForwardProxy(t *testing.T) {
	for _, row := range []struct {
		line   string
		status int
	}{
		{"CONNECT elsewhere.example:443 HTTP/1.1", 400},
		{"CONNECT / HTTP/1.1", 400},
		{"GET http:elsewhere HTTP/1.1", 400},
		{"GET http://elsewhere.example/orders HTTP/1.1", 200}, // a server must take it (RFC 9112 section 3.2.2): to the one upstream
	} {
		t.Run(row.line, func(t *testing.T) {
			var upstream seen
			w := newWorld(t, upstream.serve)
			if got := w.raw(t, row.line+"\r\nHost: elsewhere.example\r\nAuthorization: Bearer good\r\n\r\n"); got != row.status {
				t.Errorf("got %d", got)
			}
			if got := upstream.Load(); got != nil && (got.RequestURI != "/orders" || got.Host == "elsewhere.example") {
				t.Errorf("the upstream sees %s %s", got.Host, got.RequestURI)
			}
		})
	}
}

// TestNoSmuggling: what two servers could read as two requests is refused before the upstream sees any of it.
func TestNoSmuggling(t *testing.T) {
	const second = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, row := range []struct{ name, lines, body string }{
		{"a length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + second},
		{"two lengths", "Content-Length: 0\r\nContent-Length: 37\r\n", second},
		{"a list of lengths", "Content-Length: 0, 37\r\n", second},
		{"a length with a sign", "Content-Length: +0\r\n", second},
		{"a coding that is not quite chunked", "Transfer-Encoding: xchunked\r\n", second},
		{"chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
		{"a blank before the colon", "Content-Length : 0\r\n", second},
		{"a line that continues", "X-Own: a\r\n b: c\r\n", second},
	} {
		t.Run(row.name, func(t *testing.T) {
			paths := make(chan string, 8)
			w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				paths <- r.URL.Path
			})
			w.raw(t, "POST /orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"+row.lines+"\r\n"+row.body)
			for len(paths) > 0 {
				if <-paths == "/smuggled" {
					t.Error("the upstream saw a request that nobody judged")
				}
			}
		})
	}
}

func TestOnlyWebSocketsAreUpgraded(t *testing.T) {
	for _, protocol := range []string{"h2c", "h2c, websocket", "websocket, h2c", "tls/1.0", "connect-udp"} {
		t.Run(protocol, func(t *testing.T) {
			var upstream seen
			w := newWorld(t, upstream.serve)
			status := w.raw(t, fmt.Sprintf("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nConnection: Upgrade, HTTP2-Settings\r\n"+
				"Upgrade: %s\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n", protocol))
			if got := upstream.Load(); status != 200 || got.Header["Upgrade"] != nil || got.Header["Http2-Settings"] != nil {
				t.Errorf("got %d, and the upstream sees %v: requests in a tunnel would pass the gate", status, got.Header)
			}
		})
	}
}
