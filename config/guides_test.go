// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
)

// certificate is cert-manager's kind Certificate, as far as the guide uses it: cert-manager.io/v1.
type certificate struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		SecretName string   `json:"secretName"`
		DNSNames   []string `json:"dnsNames"`
		CommonName string   `json:"commonName"`
		IsCA       bool     `json:"isCA"`
		Duration   string   `json:"duration"`
		PrivateKey struct {
			Algorithm      string `json:"algorithm"`
			Size           int    `json:"size"`
			RotationPolicy string `json:"rotationPolicy"`
		} `json:"privateKey"`
		IssuerRef struct {
			Name  string `json:"name"`
			Kind  string `json:"kind"`
			Group string `json:"group"`
		} `json:"issuerRef"`
	} `json:"spec"`
}

// TestTheGuideToTLS: its YAML is cert-manager's, and writes the Secrets that the roles read.
func TestTheGuideToTLS(t *testing.T) {
	var written []string
	for _, block := range strings.Split(page(t, "guides/tls.md"), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		raw, err := yaml.ToJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var found certificate
		strict := json.NewDecoder(strings.NewReader(string(raw)))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&found); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if found.APIVersion != "cert-manager.io/v1" || found.Kind != "Certificate" || found.Metadata.Namespace != config.Namespace {
			t.Errorf("got %s %s in namespace %s", found.APIVersion, found.Kind, found.Metadata.Namespace)
		}
		if found.Spec.IsCA != (found.Spec.SecretName == v1alpha1.AuthoritySecretName) || found.Spec.IssuerRef.Name == "" {
			t.Errorf("Secret %s, an authority: %v", found.Spec.SecretName, found.Spec.IsCA)
		}
		if !found.Spec.IsCA && !slices.Contains(found.Spec.DNSNames, v1alpha1.TokenServiceName+"."+config.Namespace+".svc") {
			t.Errorf("the names are %q", found.Spec.DNSNames)
		}
		written = append(written, found.Spec.SecretName)
	}
	if !slices.Equal(written, []string{v1alpha1.ServingSecretName, v1alpha1.AuthoritySecretName}) {
		t.Errorf("it writes %q", written)
	}
}
