// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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

// claviger reads the objects of ours among YAML documents, as the API server would take them.
func claviger(t *testing.T, where string, documents ...map[string]any) {
	t.Helper()
	reasons := constants(t, "conditions.go", "Reason")
	for _, document := range documents {
		object := &unstructured.Unstructured{Object: document}
		if object.GetAPIVersion() != v1alpha1.GroupVersion.String() {
			continue
		}
		var conditions []metav1.Condition
		switch object.GetKind() {
		case "Account":
			conditions = decode[v1alpha1.Account](t, object).Status.Conditions
		case "ClientCredential":
			conditions = decode[v1alpha1.ClientCredential](t, object).Status.Conditions
		case "ProtectedResource":
			conditions = decode[v1alpha1.ProtectedResource](t, object).Status.Conditions
		case "Connector":
			conditions = decode[v1alpha1.Connector](t, object).Status.Conditions
		case "AccountConnector":
			conditions = decode[v1alpha1.AccountConnector](t, object).Status.Conditions
		case "RevokedToken":
			decode[v1alpha1.RevokedToken](t, object)
		default:
			t.Errorf("%s: there is no kind %s", where, object.GetKind())
		}
		for _, condition := range conditions {
			if reasons[condition.Reason] == "" || condition.Status != metav1.ConditionUnknown && condition.Status != statusOf(condition) {
				t.Errorf("%s: %s is never %s, %s", where, condition.Type, condition.Status, condition.Reason)
			}
		}
	}
}

// TestTheGuideToGitOps: the API server takes its objects of ours.
func TestTheGuideToGitOps(t *testing.T) {
	blocks := strings.Split(page(t, "guides/gitops.md"), "```yaml\n")[1:]
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		for document := range strings.SplitSeq(text, "---\n") {
			var read map[string]any
			if err := yaml.Unmarshal([]byte(document), &read); err != nil {
				t.Fatalf("%v in\n%s", err, document)
			}
			claviger(t, "the guide", read)
		}
	}
	if len(blocks) == 0 {
		t.Error("it has none")
	}
}

// TestSamplesOfStatusesAreOurs: what hack/manifests shows to GitOps tools may be written by the manager.
func TestSamplesOfStatusesAreOurs(t *testing.T) {
	content, err := os.ReadFile("../hack/manifests/testdata/statuses.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var samples []struct {
		Name   string         `json:"name"`
		Object map[string]any `json:"object"`
	}
	if err := yaml.Unmarshal(content, &samples); err != nil || len(samples) == 0 {
		t.Fatalf("got %d, %v", len(samples), err)
	}
	for _, sample := range samples {
		claviger(t, sample.Name, sample.Object)
	}
}
