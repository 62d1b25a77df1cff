// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/pki"
	"github.com/claviger/claviger/internal/server/stop"
)

func TestTLSOptions(t *testing.T) {
	certificate, key := writePair(t)
	for _, row := range []struct {
		name   string
		change func(*TokenServiceOptions)
		// wrong is a part of the message; empty: the options are good.
		wrong string
		plain bool
	}{
		{name: "the default", change: func(o *TokenServiceOptions) { o.TLSSecret = v1alpha1.ServingSecretName }},
		{name: "the default, everywhere", change: func(o *TokenServiceOptions) {
			o.TLSSecret, o.ListenAddress = v1alpha1.ServingSecretName, ":8443"
		}},
		{name: "another Secret", change: func(o *TokenServiceOptions) { o.TLSSecret = "auth.example.com" }},
		{name: "no certificate, on loopback", change: func(*TokenServiceOptions) {}, plain: true},
		{
			name: "no certificate, beyond loopback", change: func(o *TokenServiceOptions) { o.ListenAddress = ":8089" },
			wrong: `--listen: ":8089" is not on loopback, and without a certificate secrets would cross the network in clear; name a Secret with --tls-secret, or files`,
		},
		{name: "no certificate, beyond loopback, where plain HTTP is allowed", change: func(o *TokenServiceOptions) {
			o.ListenAddress, o.AllowPlainHTTP = ":8089", true
		}, plain: true},
		{name: "a certificate where plain HTTP is allowed", change: func(o *TokenServiceOptions) {
			o.TLSSecret, o.AllowPlainHTTP = v1alpha1.ServingSecretName, true
		}},
		{name: "files, instead of the default Secret", change: func(o *TokenServiceOptions) {
			o.TLSSecret, o.TLSCertFile, o.TLSKeyFile = v1alpha1.ServingSecretName, certificate, key
		}},
		{name: "files and a Secret", change: func(o *TokenServiceOptions) {
			o.TLSSecret, o.TLSCertFile, o.TLSKeyFile = "mine", certificate, key
		}, wrong: "--tls-secret and --tls-cert-file: give one of them"},
		{
			name: "a certificate without its key", change: func(o *TokenServiceOptions) { o.TLSCertFile = certificate },
			wrong: "--tls-cert-file and --tls-key-file: give both, or neither",
		},
		{
			name: "a key without its certificate", change: func(o *TokenServiceOptions) { o.TLSKeyFile = key },
			wrong: "--tls-cert-file and --tls-key-file: give both, or neither",
		},
		{name: "a certificate and another's key", change: func(o *TokenServiceOptions) {
			_, other := writePair(t)
			o.TLSCertFile, o.TLSKeyFile = certificate, other
		}, wrong: "private key does not match"},
		{name: "files that are not there", change: func(o *TokenServiceOptions) {
			o.TLSCertFile, o.TLSKeyFile = certificate+"x", key
		}, wrong: "no such file"},
		{
			name: "what is no name of a Secret", change: func(o *TokenServiceOptions) { o.TLSSecret = "A B" },
			wrong: `--tls-secret: "A B" is not the name of a Secret`,
		},
		{
			name: "the key of the authority", change: func(o *TokenServiceOptions) { o.TLSSecret = v1alpha1.AuthoritySecretName },
			wrong: "--tls-secret: claviger-ca holds other keys",
		},
		{
			name: "an issuer that clients would call without TLS",
			change: func(o *TokenServiceOptions) {
				o.Issuer, o.TLSSecret = "http://127.0.0.1:8089", v1alpha1.ServingSecretName
			},
			wrong: "--issuer begins with http, and the public port speaks TLS",
		},
		{name: "a newer version alone", change: func(o *TokenServiceOptions) { o.TLSMinVersion = "1.3" }, plain: true},
		{
			name: "a version that nobody should speak", change: func(o *TokenServiceOptions) { o.TLSMinVersion = "1.1" },
			wrong: `--tls-min-version: "1.1" is neither 1.2 nor 1.3`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			options := TokenServiceOptions{
				Common:        Common{Issuer: "https://auth.example.com", LogLevel: "info", LogFormat: "json"},
				ListenAddress: DefaultListenAddress, AccountHeader: DefaultAccountHeader, Stop: stop.Plan{Grace: DefaultShutdownGrace},
			}
			row.change(&options)
			err := options.Complete()
			if row.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), row.wrong) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := uint16(tls.VersionTLS12)
			if options.TLSMinVersion == "1.3" {
				want = tls.VersionTLS13
			}
			if options.plain() != row.plain || options.minVersion != want {
				t.Errorf("plain: %v, from version %x", options.plain(), options.minVersion)
			}
			if options.TLSCertFile != "" && options.TLSSecret != "" {
				t.Error("both are followed")
			}
		})
	}
}

// TestFilesAreFollowed: a certificate that is replaced is served, and one that is damaged is not.
func TestFilesAreFollowed(t *testing.T) {
	certificate, key := writePair(t)
	options := TLSOptions{TLSCertFile: certificate, TLSKeyFile: key, minVersion: tls.VersionTLS12}
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	port, err := options.secure(t.Context(), listener, nil, "", registry)
	if err != nil {
		t.Fatal(err)
	}
	if !port.ready() {
		t.Error("it has a certificate and is not ready")
	}
	if families, err := registry.Gather(); err != nil || len(families) != 1 || families[0].GetMetric()[0].GetGauge().GetValue() == 0 {
		t.Errorf("got %v, %v", families, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var background sync.WaitGroup
	background.Go(func() { _ = port.run(ctx) })
	background.Go(func() { _ = http.Serve(port, http.NotFoundHandler()) })
	defer background.Wait()
	defer port.Close()
	defer cancel()

	first := served(t, port)
	if err := os.WriteFile(key, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !served(t, port).Equal(first) {
		t.Error("the last good certificate is gone")
	}
	newCertificate, newKey := writePair(t)
	for from, to := range map[string]string{newKey: key, newCertificate: certificate} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	// At the latest when the files are looked at again, which they are every ten seconds.
	for deadline := time.Now().Add(time.Minute); served(t, port).Equal(first); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the new certificate is not served")
		}
	}
}

// served gives the certificate that a port serves.
func served(t *testing.T, port net.Listener) *x509.Certificate {
	t.Helper()
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	connection, err := dialer.DialContext(t.Context(), "tcp", port.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	return connection.(*tls.Conn).ConnectionState().PeerCertificates[0]
}

// writePair writes a certificate and its key into files.
func writePair(t *testing.T) (certificate, key string) {
	t.Helper()
	plan, err := pki.MakePlan(rand.Reader, pki.Observed{Names: []string{"localhost"}, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	data, err := plan.Serving.Encode()
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	certificate, key = filepath.Join(directory, "tls.crt"), filepath.Join(directory, "tls.key")
	for path, content := range map[string][]byte{certificate: data["tls.crt"], key: data["tls.key"]} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}
