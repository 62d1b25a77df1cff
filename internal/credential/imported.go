// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

// Bounds of a client secret that a user brings, in characters.
const (
	minImportedSecret = 16
	maxImportedSecret = 1024
)

// clientIDPattern is that of spec.clientID.
var clientIDPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,252}$`)

// IsClientID reports whether a text can be a client ID that a user chooses.
func IsClientID(text string) bool { return clientIDPattern.MatchString(text) }

// Imported is a client ID and secret that a user brings.
type Imported struct {
	ClientID string
	Secret   oauth.Secret
}

// ReadImported reads the Secret of spec.secretRef. established is the client ID that the credential has already, or empty; the
// Secret may then hold the same one or none. Its error is a terminal fault that names the Secret and the key, and holds
// nothing of a value.
func ReadImported(secret *corev1.Secret, ref v1alpha1.ClientSecretReference, established string) (Imported, error) {
	if isClusterCredential(secret.Type) {
		return Imported{}, invalidImport(secret, "is of type %s; Secrets of that type are for other uses", secret.Type)
	}
	id := string(secret.Data[ref.ClientIDKey])
	switch {
	case id == "" && established == "":
		return Imported{}, invalidImport(secret, "has no key %s; add the client ID, or name the key in spec.secretRef.clientIDKey", ref.ClientIDKey)
	case id != "" && established != "" && id != established:
		return Imported{}, invalidImport(secret, "holds another client ID under %s than %s, which this credential has; a client ID never changes", ref.ClientIDKey, established)
	case id != "" && !IsClientID(id):
		return Imported{}, invalidImport(secret, "holds no usable client ID under %s: 1 to 253 letters, digits and ._~-, the first a letter or digit", ref.ClientIDKey)
	case id == "":
		id = established
	}
	value := string(secret.Data[ref.ClientSecretKey])
	switch {
	case value == "":
		return Imported{}, invalidImport(secret, "has no key %s; add the client secret, or name the key in spec.secretRef.clientSecretKey", ref.ClientSecretKey)
	case strings.ContainsFunc(value, isNotPrintable):
		return Imported{}, invalidImport(secret, "holds characters under %s that a client secret cannot have (a line break at its end?): printable ASCII only", ref.ClientSecretKey)
	case len(value) < minImportedSecret:
		return Imported{}, invalidImport(secret, "holds a client secret under %s that is too short: it needs %d characters", ref.ClientSecretKey, minImportedSecret)
	case len(value) > maxImportedSecret:
		return Imported{}, invalidImport(secret, "holds a client secret under %s that is too long: at most %d characters", ref.ClientSecretKey, maxImportedSecret)
	case value == id || IsGeneratedSecret(id): // a client ID is public
		return Imported{}, invalidImport(secret, "holds a client secret under %s, where the client ID should be", ref.ClientIDKey)
	}
	return Imported{ClientID: id, Secret: oauth.NewSecret(value)}, nil
}

// isClusterCredential reports whether Secrets of a type hold what Kubernetes itself works with. Whoever may write a
// ClientCredential but read no Secret must not see such a value become a client ID.
func isClusterCredential(t corev1.SecretType) bool {
	if t == corev1.SecretTypeBasicAuth {
		return false
	}
	for _, prefix := range []string{"kubernetes.io/", "bootstrap.kubernetes.io/", "helm.sh/"} {
		if strings.HasPrefix(string(t), prefix) {
			return true
		}
	}
	return false
}

// isNotPrintable is the complement of VSCHAR (RFC 6749 appendix A).
func isNotPrintable(r rune) bool { return r < 0x20 || r > 0x7e }

func invalidImport(secret *corev1.Secret, format string, args ...any) error {
	return fault.Terminalf(v1alpha1.ReasonInvalidSecret, "Secret %s "+format, append([]any{secret.Name}, args...)...)
}
