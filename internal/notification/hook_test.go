// SPDX-License-Identifier: Apache-2.0

package notification_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/notification"
	"github.com/claviger/claviger/internal/outbound"
)

const (
	firstKey  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	secondKey = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

var at = time.Unix(1614265330, 0)

func keyFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func hook(url, file string) *notification.Hook {
	return &notification.Hook{URL: url, KeyFile: file, HTTP: outbound.NewClient("", 5*time.Second), Now: func() time.Time { return at }}
}

func message() notification.Message {
	return notification.Message{
		ID: "msg_1", Type: notification.TypeFailing, Timestamp: at.UTC(),
		Data: notification.Data{
			Account: "acme", Namespace: "acme", Name: "crm", ID: "acme.crm", Connector: "hubspot", Reason: "Misconfigured", Message: "why",
		},
	}
}

func TestTell(t *testing.T) {
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	if err := hook(server.URL, keyFile(t, firstKey+"\n"+secondKey+"\n\n")).Tell(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	const want = `{"type":"connection.failing","timestamp":"2021-02-25T15:02:10Z","data":{"account":"acme","namespace":"acme","name":"crm",` +
		`"id":"acme.crm","connector":"hubspot","reason":"Misconfigured","message":"why"}}`
	if string(body) != want || got.Method != http.MethodPost || got.Header.Get("content-type") != "application/json" {
		t.Errorf("got %s %s", got.Method, body)
	}
	if got.Header.Get("webhook-id") != "msg_1" || got.Header.Get("webhook-timestamp") != "1614265330" {
		t.Errorf("got %v", got.Header)
	}
	// Whoever knows one of the keys can verify it.
	signatures := strings.Fields(got.Header.Get("webhook-signature"))
	for i, key := range []string{firstKey, secondKey} {
		raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec_"))
		mac := hmac.New(sha256.New, raw)
		mac.Write([]byte("msg_1.1614265330." + string(body)))
		if len(signatures) != 2 || signatures[i] != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			t.Errorf("key %d: got %v", i, signatures)
		}
	}
	if !json.Valid(body) {
		t.Error("it is no JSON")
	}
}

// TestWhatIsNotTold is an error that says why, and nothing of the URL or of the answer.
func TestWhatIsNotTold(t *testing.T) {
	const secret = "s3cret"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/good", http.StatusTemporaryRedirect)
		case "/refuse":
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, secret)
		}
	}))
	defer server.Close()
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	good := keyFile(t, firstKey)
	for _, row := range []struct{ name, url, file, why string }{
		{"a service that refuses", server.URL + "/refuse?key=" + secret, good, "status 500"},
		{"one that sends elsewhere", server.URL + "/redirect?key=" + secret, good, "status 307"},
		{"one that is away", away.URL + "/?key=" + secret, good, "cannot be reached"},
		{"a file without a key", server.URL, keyFile(t, "\n"), "must hold keys"},
		{"a key that is too short", server.URL, keyFile(t, "whsec_"+base64.StdEncoding.EncodeToString([]byte(secret))), "24 to 64"},
		{"a key that is none", server.URL, keyFile(t, firstKey+"\nwhsec_"+secret+"!"), "24 to 64"},
		{"no file", server.URL, filepath.Join(t.TempDir(), "gone"), "no such file"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := hook(row.url, row.file).Tell(t.Context(), message())
			if err == nil || !strings.Contains(err.Error(), row.why) || strings.Contains(err.Error(), secret) {
				t.Errorf("got %v", err)
			}
		})
	}
}
