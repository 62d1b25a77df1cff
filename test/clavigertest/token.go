// SPDX-License-Identifier: Apache-2.0

package clavigertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/oauth"
)

// TokenError is the token endpoint's refusal (RFC 6749 section 5.2).
type TokenError struct {
	// Status is that of HTTP.
	Status int
	// Code is such as invalid_client, and Description a text for people.
	Code, Description string
}

func (e *TokenError) Error() string {
	return fmt.Sprintf("no token: HTTP status %d, %s: %s", e.Status, e.Code, e.Description)
}

// Token waits until a credential is Ready and takes a token with the client ID and secret in its Secret, as its workload would: with
// all its scopes, or those that are named.
func (k *Kit) Token(t testing.TB, credential client.Object, scopes ...string) string {
	t.Helper()
	if err := k.WaitReadyContext(k.life, credential); err != nil {
		t.Fatal(err)
	}
	form := url.Values{}
	if len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	token, err := k.TokenContext(k.life, credential, form)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TokenContext takes a token with the client ID and secret in a credential's Secret, whether or not it is Ready. form has more
// parameters of the request, such as scope or resource, and may be nil. The error is a *TokenError where the token endpoint refuses.
func (k *Kit) TokenContext(ctx context.Context, credential client.Object, form url.Values) (string, error) {
	ctx, cancel := k.bound(ctx)
	defer cancel()
	secret, err := k.secretOf(ctx, credential)
	if err != nil {
		return "", err
	}
	if len(secret.Data[v1alpha1.SecretKeyClientSecret]) == 0 {
		return "", fmt.Errorf("Secret %s has no %s", client.ObjectKeyFromObject(secret), v1alpha1.SecretKeyClientSecret) //nolint:staticcheck // ST1005: a kind
	}
	return k.takeToken(ctx, secret, form)
}

func (k *Kit) takeToken(ctx context.Context, secret *corev1.Secret, more url.Values) (string, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	for name, values := range more {
		form[name] = values
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, k.TokenURL(), strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("asking for a token: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(string(secret.Data[v1alpha1.SecretKeyClientID])), url.QueryEscape(string(secret.Data[v1alpha1.SecretKeyClientSecret])))
	response, err := k.HTTPClient().Do(request)
	if err != nil {
		return "", fmt.Errorf("asking for a token: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("reading the token endpoint's answer: %w", err)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(body, &answer); err != nil { // its text could hold what is in the answer
		return "", fmt.Errorf("the token endpoint's answer, HTTP status %d, is not JSON", response.StatusCode)
	}
	if response.StatusCode != http.StatusOK {
		return "", &TokenError{Status: response.StatusCode, Code: answer.Code, Description: answer.Description}
	}
	return answer.AccessToken, nil
}

// Mount writes what is in the Secret of a ClientCredential or an AccountConnector, once it is Ready, or what is in a Secret, into the
// files of a folder that ends with the test, as the kubelet does for a volume. Give the folder to the client that you test.
func (k *Kit) Mount(t testing.TB, object client.Object) string {
	t.Helper()
	if err := k.WaitReadyContext(k.life, object); err != nil {
		t.Fatal(err)
	}
	secret, err := k.secretOf(k.life, object)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for key, value := range secret.Data {
		if err := os.WriteFile(filepath.Join(dir, key), value, 0o600); err != nil {
			t.Fatalf("mounting Secret %s: %v", client.ObjectKeyFromObject(secret), err)
		}
	}
	return dir
}

// secretOf gives the Secret that an object's status names, or the one that the object is.
func (k *Kit) secretOf(ctx context.Context, object client.Object) (*corev1.Secret, error) {
	kind, err := k.kind(object)
	if err != nil {
		return nil, err
	}
	key := client.ObjectKeyFromObject(object)
	if kind.GroupKind() != (schema.GroupKind{Kind: "Secret"}) {
		current := &unstructured.Unstructured{}
		current.SetGroupVersionKind(kind)
		if err := k.api.Get(ctx, key, current); err != nil {
			return nil, fmt.Errorf("looking at %s: %w", describe(kind, object), err)
		}
		name, _, _ := unstructured.NestedString(current.Object, "status", "binding", "name")
		if name == "" {
			return nil, fmt.Errorf("%s has no Secret; %s", describe(kind, object), readState(current))
		}
		key.Name = name
	}
	secret := &corev1.Secret{}
	if err := k.api.Get(ctx, key, secret); err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", key, err)
	}
	return secret, nil
}

// awaitKnown waits until the token service has heard of an object that is Ready, where there is a way to ask: it follows the API
// server, and may be a moment behind. A test that comes first would see a client refused that works.
func (k *Kit) awaitKnown(ctx context.Context, kind schema.GroupVersionKind, object client.Object) error {
	ctx, cancel := k.bound(ctx)
	defer cancel()
	var known func(context.Context) (bool, error)
	switch kind.Kind {
	case "ClientCredential":
		secret, err := k.secretOf(ctx, object)
		if err != nil {
			return err
		}
		if len(secret.Data[v1alpha1.SecretKeyClientSecret]) == 0 {
			return nil
		}
		known = func(ctx context.Context) (bool, error) {
			_, err := k.takeToken(ctx, secret, nil)
			refusal, refused := errors.AsType[*TokenError](err)
			if refused {
				return refusal.Status != http.StatusUnauthorized, nil
			}
			return err == nil, err
		}
	case "ProtectedResource":
		known = func(ctx context.Context) (bool, error) {
			return k.isPublished(ctx, oauth.PathResourceMetadata+"/"+client.ObjectKeyFromObject(object).String())
		}
	default:
		return nil
	}
	for {
		if done, err := known(ctx); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is Ready, and the token service does not know it (%w)", describe(kind, object), context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

func (k *Kit) isPublished(ctx context.Context, path string) (bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.Issuer()+path, http.NoBody)
	if err != nil {
		return false, fmt.Errorf("asking the token service: %w", err)
	}
	response, err := k.HTTPClient().Do(request)
	if err != nil {
		return false, fmt.Errorf("asking the token service: %w", err)
	}
	return response.StatusCode == http.StatusOK, response.Body.Close()
}
