// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/claviger/claviger/api/v1alpha1"
)

// Credentials are where the caller's own are: a mounted Secret with a client ID and a client secret, or the token of a
// ServiceAccount. They are read for every question, so that a rotation is followed at once; both are in memory, where the kubelet
// puts them.
type Credentials struct {
	// Dir is a folder with the files client_id and client_secret, as a ClientCredential's Secret has them.
	Dir string
	// TokenFile holds the token of a ServiceAccount whose audience is the issuer. It is used where Dir is empty.
	TokenFile string
}

var errNoCredentials = errors.New("a file of our own credentials is empty")

// Check reports whether the credentials can be read.
func (c Credentials) Check() error {
	_, _, err := c.present(url.Values{})
	return err
}

// present adds the client to the form, or gives the Authorization header.
func (c Credentials) present(form url.Values) (url.Values, string, error) {
	if c.Dir == "" {
		token, err := readSecret(c.TokenFile)
		return form, "Bearer " + token, err
	}
	id, err := readSecret(filepath.Join(c.Dir, v1alpha1.SecretKeyClientID))
	if err != nil {
		return nil, "", err
	}
	secret, err := readSecret(filepath.Join(c.Dir, v1alpha1.SecretKeyClientSecret))
	form.Set("client_id", id)
	form.Set("client_secret", secret)
	return form, "", err
}

func readSecret(file string) (string, error) {
	content, err := os.ReadFile(file) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return "", fmt.Errorf("reading our own credentials: %w", err)
	}
	if text := strings.TrimRight(string(content), "\r\n"); text != "" {
		return text, nil
	}
	return "", errNoCredentials
}
