// SPDX-License-Identifier: Apache-2.0

package outbound_test

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/outbound"
)

// TestACAThatIsReplaced is followed with the next connection, and one that is spoiled stops them.
func TestACAThatIsReplaced(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.crt")
	write := func(content []byte) {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	client := outbound.NewClient(file, 5*time.Second)
	get := func() error {
		response, err := client.Get(server.URL)
		if err == nil {
			_ = response.Body.Close()
		}
		return err
	}
	if get() == nil {
		t.Error("without the file there is nobody to trust")
	}
	write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	if err := get(); err != nil {
		t.Error(err)
	}
	write([]byte("spoiled"))
	if get() == nil {
		t.Error("a file without certificates is trusted")
	}
	client = outbound.NewClient("", 5*time.Second)
	if get() == nil {
		t.Error("the world's certificates do not verify it")
	}
}

func TestBounds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte(strings.Repeat("x", 100)))
	}))
	defer server.Close()
	client := outbound.NewClient("", 5*time.Second)
	read := func(path string, limit int64) (int, []byte, error) {
		response, err := client.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := outbound.ReadBody(response, limit)
		return response.StatusCode, body, err
	}
	if _, body, err := read("/", 100); err != nil || len(body) != 100 {
		t.Errorf("got %d bytes, %v", len(body), err)
	}
	if _, body, err := read("/", 99); !errors.Is(err, outbound.ErrTooLarge) || body != nil {
		t.Errorf("got %d bytes, %v", len(body), err)
	}
	if status, _, _ := read("/redirect", 100); status != http.StatusFound {
		t.Errorf("a redirect was followed: %d", status)
	}
}
