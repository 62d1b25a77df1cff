// SPDX-License-Identifier: Apache-2.0

package clavigertest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/clavigertest"
)

// What stands here is in docs/test-kit.md, and compiles in another module.

var kit *clavigertest.Kit

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if kit, err = clavigertest.Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := kit.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func TestOurManifestsBecomeReady(t *testing.T) {
	kit.WaitReady(t, kit.Apply(t, "testdata/acme.yaml")...)
}

// orders is the credential of testdata/acme.yaml.
func orders() *v1alpha1.ClientCredential {
	return &v1alpha1.ClientCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "orders"}}
}

func TestOurClientTakesTokens(t *testing.T) {
	kit.Apply(t, "testdata/acme.yaml")
	client, err := newClient(t.Context(), kit.Mount(t, orders()))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Post(startHook(t, kit), "application/json", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		t.Errorf("got %s", response.Status)
	}
}

// newClient is what you would test: it finds all that it needs in the folder where the Secret is mounted.
func newClient(ctx context.Context, dir string) (*http.Client, error) {
	read := func(key string) string {
		value, _ := os.ReadFile(filepath.Join(dir, key))
		return string(value)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(read("ca.crt"))) {
		return nil, fmt.Errorf("no certificate in %s", dir)
	}
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	config := clientcredentials.Config{ClientID: read("client_id"), ClientSecret: read("client_secret"), TokenURL: read("token_url")}
	return config.Client(context.WithValue(ctx, oauth2.HTTPClient, trusting)), nil
}

func TestOurHookAsksForTokens(t *testing.T) {
	kit.Apply(t, "testdata/acme.yaml")
	hook := startHook(t, kit)
	for what, row := range map[string]struct {
		token string
		want  int
	}{
		"without a token":                     {"", http.StatusUnauthorized},
		"with a token of another scope":       {kit.Token(t, orders(), "MCP"), http.StatusForbidden},
		"with a token of all scopes":          {kit.Token(t, orders()), http.StatusNoContent},
		"with a token that was tampered with": {kit.Token(t, orders()) + "AA", http.StatusUnauthorized},
	} {
		if got := call(t, hook, row.token); got != row.want {
			t.Errorf("%s: got %d, want %d", what, got, row.want)
		}
	}
}

// startHook starts what you would test: a webhook that asks Claviger about every call.
func startHook(t *testing.T, kit *clavigertest.Kit) string {
	asking := kit.HTTPClient()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		question, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, kit.VerifyURL()+"?scope=Webhook&account=acme", http.NoBody)
		question.Header["Authorization"] = r.Header["Authorization"]
		verdict, err := asking.Do(question)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		verdict.Body.Close()
		if verdict.StatusCode != http.StatusOK {
			w.WriteHeader(verdict.StatusCode)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func call(t *testing.T, hook, token string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hook, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func TestASuspendedCredentialIsNotReady(t *testing.T) {
	objects := kit.ApplyYAML(t, `
apiVersion: claviger.dev/v1alpha1
kind: Account
metadata: {name: sleepy}
spec: {suspend: true, namespaces: {names: [default]}}
---
apiVersion: claviger.dev/v1alpha1
kind: ClientCredential
metadata: {name: sleepy, namespace: default}
spec: {accountRef: {name: sleepy}, scopes: [Webhook]}
`)
	kit.WaitReason(t, objects[1], v1alpha1.ReasonAccountSuspended)
}

func TestSecretsAreReplacedEveryMonth(t *testing.T) {
	kit := clavigertest.Start(t)
	kit.Apply(t, "testdata/acme.yaml")
	credential := orders()
	token := kit.Token(t, credential)
	kit.WaitReady(t, credential)
	first := credential.Status.Rotation.LastRotationTime

	kit.Advance(t, 31*24*time.Hour)
	clavigertest.WaitFor(t, kit, credential, func(c *v1alpha1.ClientCredential) bool {
		return !c.Status.Rotation.LastRotationTime.Equal(first)
	})
	if got := call(t, startHook(t, kit), token); got != http.StatusUnauthorized {
		t.Errorf("a token that is good for an hour works after a month: %d", got)
	}
	if got := call(t, startHook(t, kit), kit.Token(t, credential)); got != http.StatusNoContent {
		t.Errorf("a token of the new client secret: %d", got)
	}
}
