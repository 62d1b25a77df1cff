// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/claviger/claviger/api/v1alpha1"
)

func TestExplain(t *testing.T) {
	resource := func(name string) schema.GroupResource {
		return v1alpha1.GroupVersion.WithResource(name).GroupResource()
	}
	refused := &url.Error{Op: "Get", URL: "https://127.0.0.1:6443", Err: errors.New("connection refused")}
	for _, row := range []struct {
		name string
		err  error
		want string // what is added; "" is nothing
	}{
		{"a cluster without Claviger", &meta.NoKindMatchError{GroupKind: v1alpha1.GroupVersion.WithKind("Account").GroupKind()}, "This cluster has no Claviger"},
		{"a log-in that has run out", apierrors.NewUnauthorized("no"), "Log in again"},
		{"a missing right", apierrors.NewForbidden(resource("accounts"), "acme", errors.New("no")), "Ask whoever runs the cluster"},
		{"a credential that is not there", apierrors.NewNotFound(resource("clientcredentials"), "orders"), "kubectl claviger status"},
		{"a connection that is not there", apierrors.NewNotFound(resource("accountconnectors"), "crm"), "kubectl claviger connections"},
		{"an account that is not there", apierrors.NewNotFound(resource("accounts"), "acme"), "kubectl get accounts"},
		{"a Secret that is not there", apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, "orders"), ""},
		{"a cluster that is not up", refused, "Is --context the right one"},
		{"a token service that is not up", fmt.Errorf("%w: %w", errTokenService, refused), ""},
		{"anything else", errors.New("x"), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := fmt.Errorf("doing: %w", row.err)
			text, added, _ := strings.Cut(explain(err), "\n")
			if text != err.Error() || !strings.Contains(added, row.want) || (row.want == "" && added != "") {
				t.Errorf("got %q and %q", text, added)
			}
		})
	}
}

// TestMistypedURL: a URL that is wrong is told as that, and not as a cluster that is down.
func TestMistypedURL(t *testing.T) {
	for _, row := range []struct{ name, url string }{
		{"no port", "http://127.0.0.1:port"},
		{"no scheme", "127.0.0.1:8089/oauth/jwks"},
		{"a control character", "https://auth.example.com/\x7f"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, call := range []func() (answer, error){
				func() (answer, error) { return endpoint{url: row.url}.get(t.Context()) },
				func() (answer, error) { return endpoint{url: row.url}.postForm(t.Context(), binding{}, nil) },
			} {
				_, err := call()
				if err == nil || !errors.Is(err, errTokenService) || strings.Contains(explain(err), "--context") {
					t.Errorf("got %v", err)
				}
			}
			_, err := (&issuerFlags{issuer: row.url}).endpoint("", pathJWKS, "", nil)
			if !errors.Is(err, errTokenService) || !strings.Contains(err.Error(), "--issuer") {
				t.Errorf("got %v", err)
			}
		})
	}
}
