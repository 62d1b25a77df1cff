// SPDX-License-Identifier: Apache-2.0

// Package render turns values into the data of Secrets. It is pure: what it gives depends on its arguments alone.
package render

import (
	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/oauth"
)

// Values are what a credential's Secret tells a workload.
type Values struct {
	ClientID     string
	ClientSecret oauth.ClientSecret
	// Issuer is the issuer identifier, a URL without trailing slash.
	Issuer   string
	TokenURL string
	Scopes   oauth.Scopes
	// AccountID is empty for a console-level credential.
	AccountID string
}

// SecretData gives the data of the Secret: the keys of the API's SecretKey constants and no others.
func SecretData(values Values) map[string][]byte {
	data := map[string][]byte{
		v1alpha1.SecretKeyType:         []byte(v1alpha1.BindingType),
		v1alpha1.SecretKeyProvider:     []byte(v1alpha1.ManagedBy),
		v1alpha1.SecretKeyClientID:     []byte(values.ClientID),
		v1alpha1.SecretKeyClientSecret: []byte(values.ClientSecret.Reveal()),
		v1alpha1.SecretKeyIssuer:       []byte(values.Issuer),
		v1alpha1.SecretKeyTokenURL:     []byte(values.TokenURL),
		v1alpha1.SecretKeyScope:        []byte(values.Scopes.String()),
	}
	if values.AccountID != "" {
		data[v1alpha1.SecretKeyAccount] = []byte(values.AccountID)
	}
	return data
}
