// SPDX-License-Identifier: Apache-2.0

package egress_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/egress"
	"github.com/claviger/claviger/internal/outbound"
)

const answered = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// exhaust reads an answer to its end.
func exhaust(response *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	body, err := outbound.ReadBody(response, 1<<20)
	return string(body), err
}

func TestTLS(t *testing.T) {
	server, file := secure(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })
	old := httptest.NewUnstartedServer(server.Config.Handler)
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	defer old.Close()
	plain, _ := listen(t, "127.0.0.1:0", func(conn net.Conn) { _, _ = io.WriteString(conn, answered) })
	silent, _ := listen(t, "127.0.0.1:0", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	hasty, _ := listen(t, "127.0.0.1:0", func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1))
		reset(conn)
	})
	spoiled := file + ".spoiled"
	if err := os.WriteFile(spoiled, []byte("spoiled"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, url, file string
		want            error
		why             string
	}{
		{"a host that is trusted", server.URL, file, nil, ""},
		{"a host that the world does not trust", server.URL, "", egress.ErrUntrusted, "unknown authority"},
		{"another host than the certificate's", strings.Replace(server.URL, "127.0.0.1", "provider.test", 1), file, egress.ErrUntrusted, "another host"},
		{"TLS 1.1", old.URL, file, egress.ErrUntrusted, ""},
		{"a host without TLS", "https://" + plain, file, egress.ErrUntrusted, ""},
		{"a host that resets", "https://" + hasty, file, egress.ErrUntrusted, ""},
		{"a host that says nothing", "https://" + silent, file, egress.ErrTimeout, ""},
		{"a file that is spoiled", server.URL, spoiled, egress.ErrUntrusted, "the operator's file"},
		{"a file that is gone", server.URL, file + ".gone", egress.ErrUntrusted, "the operator's file"},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := open(func(o *egress.Options) {
				o.CAFile, o.Timeout, o.AllowHTTP = row.file, time.Second, false
				o.Resolver = newNames(t, "127.0.0.1").resolver()
			})
			body, err := exhaust(client.Do(request(t, http.MethodGet, row.url)))
			if !errors.Is(err, row.want) || errors.Is(err, egress.ErrNotSent) != (row.want != nil) {
				t.Fatalf("got %v", err)
			}
			if err == nil && body != "HTTP/1.1" {
				t.Errorf("it spoke %s", body)
			}
			if err != nil && !strings.Contains(err.Error(), row.why) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNoConnection(t *testing.T) {
	gone, _ := net.Listen("tcp", "127.0.0.1:0")
	_ = gone.Close()
	for _, row := range []struct {
		name, host string
		names      []string
		want       error
	}{
		{"nobody listens", gone.Addr().String(), nil, egress.ErrUnreachable},
		{"there is no such name", "provider.test:80", []string{}, egress.ErrUnresolved},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := open(func(o *egress.Options) { o.Resolver = newNames(t, row.names...).resolver() })
			_, err := exhaust(client.Do(request(t, http.MethodGet, "http://"+row.host+"/path?s3cret")))
			if !errors.Is(err, row.want) || !errors.Is(err, egress.ErrNotSent) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestNobodyElseIsAsked: neither whoever the host sends us to, nor a proxy of the environment.
func TestNobodyElseIsAsked(t *testing.T) {
	elsewhere, count := listen(t, "127.0.0.1:0", func(conn net.Conn) { _, _ = io.WriteString(conn, answered) })
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, "http://"+elsewhere)
	}
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		server, file := secure(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://"+elsewhere)
			w.WriteHeader(status)
		})
		client := open(func(o *egress.Options) {
			o.CAFile = file
			// A proxy is never asked for loopback, so it must have a name.
			o.Resolver = newNames(t, "127.0.0.1").resolver()
		})
		r := request(t, http.MethodPost, strings.Replace(server.URL, "127.0.0.1", "example.com", 1))
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("got %d for %d", response.StatusCode, status)
		}
	}
	if count.Load() != 0 {
		t.Errorf("somebody else was asked %d times", count.Load())
	}
}

// TestABadAnswer ends in time, and what the host says is in no error.
func TestABadAnswer(t *testing.T) {
	const secret = "s3cret-0123456789"
	for _, row := range []struct {
		name, answer string
		lasts        bool
		want         error
	}{
		{"no answer", "", false, egress.ErrBroken},
		{"no answer, for long", "", true, egress.ErrTimeout},
		{"a header that does not end", "HTTP/1.1 200 OK\r\nA: " + secret, true, egress.ErrTimeout},
		{"a body that does not end", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + secret, true, egress.ErrTimeout},
		{"a body that is cut short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + secret, false, egress.ErrBroken},
		{"chunks that are cut short", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n" + secret, false, egress.ErrBroken},
		{"chunks that are none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + "\r\n", false, egress.ErrBroken},
		{"a trailer that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n2\r\nok\r\n0\r\n" + secret + "\r\n\r\n", false, egress.ErrBroken},
		{"a status that is none", "HTTP/1.1 " + secret + "\r\n\r\n", false, egress.ErrBroken},
		{"another protocol", "SSH-2.0-" + secret + "\r\n\r\n", false, egress.ErrBroken},
		{"a header field that is none", "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n", false, egress.ErrBroken},
		{"a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: " + secret + "\r\n\r\n", false, egress.ErrBroken},
		{"a header that is too large", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat(secret, 5000) + "\r\n\r\n", true, egress.ErrBroken},
		{"information without end", strings.Repeat("HTTP/1.1 103 Early Hints\r\nA: "+secret+"\r\n\r\n", 5000), true, egress.ErrBroken},
		{"another protocol, for long", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", true, egress.ErrBroken},
		{"a body that is too large", "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 1<<20+1), false, outbound.ErrTooLarge},
	} {
		t.Run(row.name, func(t *testing.T) {
			address, count := listen(t, "127.0.0.1:0", func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, row.answer)
				if row.lasts {
					_, _ = io.Copy(io.Discard, conn)
				}
			})
			client := open(func(o *egress.Options) { o.Timeout = 500 * time.Millisecond })
			began := time.Now()
			_, err := exhaust(client.Do(request(t, http.MethodPost, "http://"+address+"/?"+secret)))
			if !errors.Is(err, row.want) || errors.Is(err, egress.ErrNotSent) || count.Load() != 1 {
				t.Errorf("got %v after %d connections", err, count.Load())
			}
			if err != nil && (strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), address)) {
				t.Errorf("got %v", err)
			}
			if time.Since(began) > 5*time.Second {
				t.Errorf("it took %v", time.Since(began))
			}
		})
	}
}

// reset ends a connection with RST.
func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// readOne reads a request to its end, which is that of its header where it has no body.
func readOne(conn net.Conn) string {
	var read strings.Builder
	for buffer := make([]byte, 4096); ; {
		n, err := conn.Read(buffer)
		read.Write(buffer[:n])
		if text := read.String(); err != nil || strings.HasSuffix(text, "\r\n\r\n") || strings.HasSuffix(text, "spent") {
			return text
		}
	}
}

// TestNothingIsSentTwice: whatever becomes of a connection, and however harmless net/http may take a request for, the host sees it
// once. The first request would leave a connection behind that the second finds dead.
func TestNothingIsSentTwice(t *testing.T) {
	for name, end := range map[string]func(net.Conn){
		"the host closes":                       func(conn net.Conn) { _ = conn.Close() },
		"the host resets":                       reset,
		"the host closes when it has been idle": func(conn net.Conn) { time.Sleep(50 * time.Millisecond); _ = conn.Close() },
	} {
		for shape, change := range map[string]func(*http.Request){
			"a GET": func(r *http.Request) { r.Method, r.Body, r.GetBody, r.ContentLength = http.MethodGet, nil, nil, 0 },
			"a POST with GetBody": func(r *http.Request) {
				if r.GetBody == nil {
					panic("the test is about GetBody")
				}
			},
			"a POST with a key of idempotency": func(r *http.Request) { r.Header.Set("Idempotency-Key", "1") },
			"a POST without GetBody":           func(r *http.Request) { r.GetBody = nil },
		} {
			t.Run(name+", "+shape, func(t *testing.T) {
				var seen atomic.Int64
				address, connections := listen(t, "127.0.0.1:0", func(conn net.Conn) {
					for readOne(conn) != "" {
						if seen.Add(1) == 1 { // and goes on with the connection, if the client does
							_, _ = io.WriteString(conn, answered)
							continue
						}
						end(conn)
						return
					}
				})
				client := open()
				send := func() error {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address, strings.NewReader("refresh_token=spent"))
					if err != nil {
						t.Fatal(err)
					}
					change(r)
					_, err = exhaust(client.Do(r))
					return err
				}
				if err := send(); err != nil {
					t.Fatal(err)
				}
				err := send()
				if err == nil || errors.Is(err, egress.ErrNotSent) {
					t.Errorf("got %v", err)
				}
				time.Sleep(100 * time.Millisecond) // for one that nobody asked for
				if seen.Load() != 2 || connections.Load() != 2 {
					t.Errorf("the host saw %d requests on %d connections", seen.Load(), connections.Load())
				}
			})
		}
	}
}

// TestDoOnce: until the request is sent its caller may give it up, and then no longer.
func TestDoOnce(t *testing.T) {
	arrived, proceed := make(chan struct{}, 1), make(chan struct{})
	server, file := secure(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server would not see that the client has gone
		arrived <- struct{}{}
		select {
		case <-proceed:
			_, _ = io.WriteString(w, "ok")
		case <-r.Context().Done():
		}
	})
	client := open(func(o *egress.Options) { o.CAFile = file })
	once := func(ctx context.Context, url string, within time.Duration) (string, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("refresh_token=spent"))
		if err != nil {
			t.Fatal(err)
		}
		return exhaust(client.DoOnce(r, within))
	}
	t.Run("one that was given up before sends nothing", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := once(ctx, server.URL, time.Minute); !errors.Is(err, context.Canceled) || !errors.Is(err, egress.ErrNotSent) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("one that is given up while it waits for TLS sends nothing", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		silent, _ := listen(t, "127.0.0.1:0", func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 1))
			cancel()
			_, _ = io.Copy(io.Discard, conn)
		})
		if _, err := once(ctx, "https://"+silent, time.Minute); !errors.Is(err, context.Canceled) || !errors.Is(err, egress.ErrNotSent) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("one that is given up later is answered", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
			time.Sleep(50 * time.Millisecond)
			proceed <- struct{}{}
		}()
		if body, err := once(ctx, server.URL, time.Minute); err != nil || body != "ok" {
			t.Errorf("got %q, %v", body, err)
		}
	})
	t.Run("time ends it", func(t *testing.T) {
		if _, err := once(t.Context(), server.URL, 200*time.Millisecond); !errors.Is(err, egress.ErrTimeout) || errors.Is(err, egress.ErrNotSent) {
			t.Errorf("got %v", err)
		}
		<-arrived
	})
	t.Run("a call that is not of this kind is given up at any time", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		_, err := exhaust(client.Do(request(t, http.MethodGet, server.URL).WithContext(ctx)))
		if !errors.Is(err, context.Canceled) || errors.Is(err, egress.ErrNotSent) {
			t.Errorf("got %v", err)
		}
	})
}
