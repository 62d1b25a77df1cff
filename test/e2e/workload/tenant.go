// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// requestTimeout is how long a request may take.
const requestTimeout = 10 * time.Second

// tenant is a client that goes by what is mounted.
type tenant struct {
	dir string
	// authorities are the PEM certificates that http trusts.
	authorities string
	http        *http.Client
	// secret is the client secret that was used last, and changes how often it was another one than before.
	secret  string
	changes int
}

func (t *tenant) read(name string) (string, error) {
	content, err := os.ReadFile(filepath.Join(t.dir, name))
	if err != nil {
		return "", fmt.Errorf("reading what is mounted: %w", err)
	}
	return string(content), nil
}

// client gives an HTTP client that trusts what is mounted. It keeps its connections until that changes.
func (t *tenant) client() (*http.Client, error) {
	authorities, err := t.read("ca.crt")
	if err != nil {
		return nil, err
	}
	if t.http == nil || authorities != t.authorities {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(authorities)) {
			return nil, errors.New("ca.crt has no certificate")
		}
		t.authorities = authorities
		t.http = &http.Client{Timeout: requestTimeout, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	}
	return t.http, nil
}

// form is a token request (RFC 6749 section 4.4.2): by the client secret where there is one, else by a ServiceAccount token (RFC 7523).
func (t *tenant) form() (url.Values, error) {
	id, err := t.read("client_id")
	if err != nil {
		return nil, err
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}}
	secret, err := t.read("client_secret")
	if errors.Is(err, fs.ErrNotExist) {
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		assertion, err := t.read("token")
		form.Set("client_assertion", assertion)
		return form, err
	}
	if t.secret != "" && secret != t.secret {
		t.changes++
	}
	t.secret = secret
	form.Set("client_secret", secret)
	return form, err
}

// token takes one.
func (t *tenant) token(ctx context.Context) (string, error) {
	form, err := t.form()
	if err != nil {
		return "", err
	}
	endpoint, err := t.read("token_url")
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("token request: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var issued struct {
		AccessToken string `json:"access_token"`
	}
	err = t.do(request, func(answer *http.Response) error { return json.NewDecoder(answer.Body).Decode(&issued) })
	if err == nil && issued.AccessToken == "" {
		err = errors.New("an answer without a token")
	}
	return issued.AccessToken, err
}

// call calls what is guarded.
func (t *tenant) call(ctx context.Context, url, token string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("call: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return t.do(request, func(*http.Response) error { return nil })
}

// do sends a request once. What is not 200 is an error that says what the answer does.
func (t *tenant) do(request *http.Request, read func(*http.Response) error) error {
	client, err := t.client()
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return refusal(answer)
	}
	if err := read(answer); err != nil {
		return fmt.Errorf("reading an answer: %w", err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil { // or the connection could not be used again
		return fmt.Errorf("reading an answer: %w", err)
	}
	return nil
}
