// SPDX-License-Identifier: Apache-2.0

package render

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/oauth"
)

// Connection is what the output Secret of an AccountConnector tells a workload.
type Connection struct {
	AccessToken oauth.Secret
	// RefreshToken is empty unless the Connector allows it to be handed out.
	RefreshToken oauth.Secret
	TokenType    string
	// ExpiresAt is zero where nobody knows.
	ExpiresAt        time.Time
	Scope, AccountID string
}

// ConnectionData gives the data of the output Secret: its keys, renamed as the template says, and the template's own. The template may
// be nil. Its error is a terminal fault that names the key.
func ConnectionData(connection Connection, template *v1alpha1.ConnectionSecretTemplate) (map[string][]byte, error) {
	expiresAt := ""
	if !connection.ExpiresAt.IsZero() {
		expiresAt = connection.ExpiresAt.UTC().Format(time.RFC3339)
	}
	given := map[string]string{
		v1alpha1.SecretKeyType:        v1alpha1.BindingType,
		v1alpha1.SecretKeyProvider:    v1alpha1.ManagedBy,
		v1alpha1.SecretKeyAccessToken: connection.AccessToken.Reveal(),
		v1alpha1.SecretKeyTokenType:   connection.TokenType,
		v1alpha1.SecretKeyAccount:     connection.AccountID,
		v1alpha1.SecretKeyScope:       connection.Scope,
		v1alpha1.SecretKeyExpiresAt:   expiresAt,
	}
	maps.DeleteFunc(given, func(_, value string) bool { return value == "" })
	if template == nil {
		template = &v1alpha1.ConnectionSecretTemplate{}
	}
	data, size := map[string][]byte{}, 0
	for _, key := range slices.Sorted(maps.Keys(given)) {
		renamed := key
		if template.Keys[key] != "" {
			renamed = string(template.Keys[key])
		}
		if _, taken := data[renamed]; taken {
			return nil, invalid("keys: two of them are called %s", renamed)
		}
		data[renamed] = []byte(given[key])
		size += len(given[key])
	}
	fields := map[string]string{
		"AccessToken": connection.AccessToken.Reveal(), "TokenType": connection.TokenType, "ExpiresAt": expiresAt,
		"Scope": connection.Scope, "Account": connection.AccountID,
	}
	if refresh := connection.RefreshToken.Reveal(); refresh != "" {
		fields["RefreshToken"] = refresh
	}
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
