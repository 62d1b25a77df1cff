// SPDX-License-Identifier: Apache-2.0

package egress_test

import (
	"context"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/claviger/claviger/internal/egress"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

// names is a name server of one's own, which gives one address for every name: as many as it was told, the last again and again.
type names struct {
	conn    net.PacketConn
	asked   atomic.Int64
	answers atomic.Pointer[[]netip.Addr]
}

func newNames(t *testing.T, answers ...string) *names {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &names{conn: conn}
	n.say(answers...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.serve()
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return n
}

func (n *names) say(answers ...string) {
	addresses := make([]netip.Addr, 0, len(answers))
	for _, answer := range answers {
		addresses = append(addresses, netip.MustParseAddr(answer))
	}
	n.answers.Store(&addresses)
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
}

func (n *names) serve() {
	packet := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		if answer, ok := n.answer(packet[:size]); ok {
			_, _ = n.conn.WriteTo(answer, from)
		}
	}
}

func (n *names) answer(packet []byte) ([]byte, bool) {
	var parser dnsmessage.Parser
	header, err := parser.Start(packet)
	if err != nil {
		return nil, false
	}
	question, err := parser.Question()
	if err != nil {
		return nil, false
	}
	addresses := *n.answers.Load()
	header.Response, header.Authoritative = true, true
	if len(addresses) == 0 {
		header.RCode = dnsmessage.RCodeNameError
	}
	message := dnsmessage.Message{Header: header, Questions: []dnsmessage.Question{question}}
	for i, address := range addresses {
		var body dnsmessage.ResourceBody
		switch {
		case address.Is4() && question.Type == dnsmessage.TypeA:
			body = &dnsmessage.AResource{A: address.As4()}
		case address.Is6() && question.Type == dnsmessage.TypeAAAA:
			body = &dnsmessage.AAAAResource{AAAA: address.As16()}
		default:
			continue
		}
		n.asked.Add(1)
		message.Answers = append(message.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class}, Body: body,
		})
		if rest := addresses[i+1:]; len(rest) > 0 {
			n.answers.Store(&rest)
		}
		break
	}
	packed, err := message.Pack()
	return packed, err == nil
}

// listen serves every connection with a function, on a goroutine of its own, and counts them.
func listen(t *testing.T, address string, serve func(net.Conn)) (string, *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
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

// secure starts a server with TLS, and gives a file with its certificate.
func secure(t *testing.T, handler http.HandlerFunc) (*httptest.Server, string) {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.crt")
	content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return server, file
}

func open(changes ...func(*egress.Options)) *egress.Client {
	options := egress.Options{AllowedNetworks: loopback, AllowHTTP: true, Timeout: 10 * time.Second}
	for _, change := range changes {
		change(&options)
	}
	return egress.New(options)
}

func request(t *testing.T, method, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
