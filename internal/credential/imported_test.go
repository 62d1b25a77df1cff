// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
)

func TestReadImported(t *testing.T) {
	const sixteen, sixteenID = "sixteen-letters!", "sixteen-letters_"
	ref := v1alpha1.ClientSecretReference{Name: "theirs", ClientIDKey: "id", ClientSecretKey: "secret"}
	for _, row := range []struct {
		name        string
		kind        corev1.SecretType
		data        map[string]string
		established string
		clientID    string
		fails       string
	}{
		{name: "an ID and a secret", data: map[string]string{"id": "legacy", "secret": sixteen}, clientID: "legacy"},
		{name: "the ID may have all that IDs have", data: map[string]string{"id": "0aZ._~-", "secret": sixteen}, clientID: "0aZ._~-"},
		{name: "a secret alone, of a credential that has an ID", data: map[string]string{"secret": sixteen}, established: "acme.orders", clientID: "acme.orders"},
		{name: "the ID that the credential has", data: map[string]string{"id": "legacy", "secret": sixteen}, established: "legacy", clientID: "legacy"},
		{name: "the longest secret", data: map[string]string{"id": "legacy", "secret": strings.Repeat("x", 1024)}, clientID: "legacy"},
		{name: "blanks and signs are part of a secret", data: map[string]string{"id": "legacy", "secret": " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}, clientID: "legacy"},
		{name: "a Secret for HTTP Basic", kind: corev1.SecretTypeBasicAuth, data: map[string]string{"id": "legacy", "secret": sixteen}, clientID: "legacy"},
		{name: "a Secret of somebody's own type", kind: "example.com/oauth", data: map[string]string{"id": "legacy", "secret": sixteen}, clientID: "legacy"},

		{name: "the secret where the ID should be", data: map[string]string{"id": sixteenID, "secret": sixteenID}, fails: "where the client ID should be"},
		{name: "a generated secret where the ID should be", data: map[string]string{"id": generated(t, 1), "secret": sixteen}, fails: "where the client ID should be"},
		{name: "no ID", data: map[string]string{"secret": sixteen}, fails: "has no key id"},
		{name: "another ID", data: map[string]string{"id": "somebody-elses", "secret": sixteen}, established: "legacy", fails: "never changes"},
		{name: "an ID with a blank", data: map[string]string{"id": "a b", "secret": sixteen}, fails: "no usable client ID under id"},
		{name: "an ID with a line break at its end", data: map[string]string{"id": "legacy\n", "secret": sixteen}, fails: "no usable client ID under id"},
		{name: "an ID with a colon, which HTTP Basic cannot carry", data: map[string]string{"id": "a:b", "secret": sixteen}, fails: "no usable client ID under id"},
		{name: "an ID that is too long", data: map[string]string{"id": strings.Repeat("x", 254), "secret": sixteen}, fails: "no usable client ID under id"},
		{name: "no secret", data: map[string]string{"id": "legacy"}, fails: "has no key secret"},
		{name: "an empty secret", data: map[string]string{"id": "legacy", "secret": ""}, fails: "has no key secret"},
		{name: "a secret that is too short", data: map[string]string{"id": "legacy", "secret": sixteen[1:]}, fails: "too short: it needs 16"},
		{name: "a secret that is too long", data: map[string]string{"id": "legacy", "secret": strings.Repeat("x", 1025)}, fails: "at most 1024"},
		{name: "a secret with a line break at its end", data: map[string]string{"id": "legacy", "secret": sixteen + "\n"}, fails: "a line break at its end?"},
		{name: "a secret that is not ASCII", data: map[string]string{"id": "legacy", "secret": sixteen + "é"}, fails: "printable ASCII only"},
		{name: "a token of a ServiceAccount", kind: corev1.SecretTypeServiceAccountToken, data: map[string]string{"id": "legacy", "secret": sixteen}, fails: "for other uses"},
		{name: "a TLS key", kind: corev1.SecretTypeTLS, data: map[string]string{"id": "legacy", "secret": sixteen}, fails: "for other uses"},
		{name: "a bootstrap token", kind: "bootstrap.kubernetes.io/token", data: map[string]string{"id": "legacy", "secret": sixteen}, fails: "for other uses"},
		{name: "a Helm release", kind: "helm.sh/release.v1", data: map[string]string{"id": "legacy", "secret": sixteen}, fails: "for other uses"},
	} {
		t.Run(row.name, func(t *testing.T) {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "theirs"}, Type: row.kind, Data: map[string][]byte{}}
			for key, value := range row.data {
				secret.Data[key] = []byte(value)
			}
			got, err := credential.ReadImported(secret, ref, row.established)
			if row.fails == "" {
				if err != nil || got.ClientID != row.clientID || got.Secret.Reveal() != row.data["secret"] {
					t.Errorf("got %q, %v", got.ClientID, err)
				}
				return
			}
			found, ok := fault.As(err)
			if !ok || found.Kind != fault.Terminal || found.Reason != v1alpha1.ReasonInvalidSecret {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(found.Message, "Secret theirs ") || !strings.Contains(found.Message, row.fails) {
				t.Errorf("got %q", found.Message)
			}
			for key, value := range row.data {
				if len(value) > 4 && value != "legacy" && strings.Contains(found.Message, value) {
					t.Errorf("the message holds the value of %s", key)
				}
			}
			if got.ClientID != "" || got.Secret.Reveal() != "" {
				t.Error("something of it is used all the same")
			}
		})
	}
}
