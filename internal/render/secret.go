// SPDX-License-Identifier: Apache-2.0

// Package render turns values into the data of Secrets. It is pure: what it gives depends on its arguments alone.
package render

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

// Values are what a credential's Secret tells a workload.
type Values struct {
	ClientID     string
	ClientSecret oauth.Secret
	// Issuer is the issuer identifier, a URL without trailing slash.
	Issuer   string
	TokenURL string
	Scopes   oauth.Scopes
	// AccountID is empty for a console-level credential.
	AccountID string
	// CACert is the PEM certificates that verify the issuer; empty where the world's own do.
	CACert string
}

// SecretData gives the data of the Secret: the keys of the API's SecretKey constants, renamed as the template says, and the
// template's own. The template may be nil. Its error is a terminal fault that names the key.
func SecretData(values Values, template *v1alpha1.SecretTemplate) (map[string][]byte, error) {
	data, given := map[string][]byte{}, defaults(values)
	if template != nil && template.Data[Key(template, v1alpha1.SecretKeyCACert)] != "" {
		delete(given, v1alpha1.SecretKeyCACert) // the template's own, also from the day on which the operator has one too
	}
	size := 0
	for _, key := range slices.Sorted(maps.Keys(given)) {
		renamed := Key(template, key)
		if _, taken := data[renamed]; taken {
			return nil, invalid("keys: two of them are called %s", renamed)
		}
		data[renamed] = []byte(given[key])
		size += len(given[key])
	}
	if template == nil {
		return data, nil
	}
	fields := values.fields()
	for _, key := range slices.Sorted(maps.Keys(template.Data)) {
		if _, taken := data[key]; taken {
			return nil, invalid("data: %s is a key of the Secret already; rename that one under keys", key)
		}
		value, err := expand(string(template.Data[key]), fields, corev1.MaxSecretSize-size)
		if err != nil {
			return nil, invalid("data: %s: %w", key, err)
		}
		data[key] = []byte(value)
		size += len(value)
	}
	return data, nil
}

// Key gives the name that a default key has under a template, which may be nil.
func Key(template *v1alpha1.SecretTemplate, key string) string {
	if template != nil && template.Keys[key] != "" {
		return string(template.Keys[key])
	}
	return key
}

func defaults(values Values) map[string]string {
	data := map[string]string{
		v1alpha1.SecretKeyType:         v1alpha1.BindingType,
		v1alpha1.SecretKeyProvider:     v1alpha1.ManagedBy,
		v1alpha1.SecretKeyClientID:     values.ClientID,
		v1alpha1.SecretKeyClientSecret: values.ClientSecret.Reveal(),
		v1alpha1.SecretKeyIssuer:       values.Issuer,
		v1alpha1.SecretKeyTokenURL:     values.TokenURL,
		v1alpha1.SecretKeyScope:        values.Scopes.String(),
	}
	if values.AccountID != "" {
		data[v1alpha1.SecretKeyAccount] = values.AccountID
	}
	if values.CACert != "" {
		data[v1alpha1.SecretKeyCACert] = values.CACert
	}
	return data
}

func invalid(format string, args ...any) error {
	return fault.Terminalf(v1alpha1.ReasonInvalidTemplate, "spec.secretTemplate."+format, args...)
}

// Token is what a Secret that delivers a live token tells a workload.
type Token struct {
	AccessToken string
	ExpiresAt   time.Time
	Issuer      string
	Scopes      oauth.Scopes
}

// TokenData gives the data of the Secret that delivers a live token.
func TokenData(token Token) map[string][]byte {
	return map[string][]byte{
		v1alpha1.SecretKeyType:        []byte(v1alpha1.BindingType),
		v1alpha1.SecretKeyProvider:    []byte(v1alpha1.ManagedBy),
		v1alpha1.SecretKeyAccessToken: []byte(token.AccessToken),
		v1alpha1.SecretKeyTokenType:   []byte("bearer"),
		v1alpha1.SecretKeyExpiresAt:   []byte(token.ExpiresAt.UTC().Format(time.RFC3339)),
		v1alpha1.SecretKeyIssuer:      []byte(token.Issuer),
		v1alpha1.SecretKeyScope:       []byte(token.Scopes.String()),
	}
}
