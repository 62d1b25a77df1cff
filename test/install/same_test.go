// SPDX-License-Identifier: Apache-2.0

package install

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
)

// TestHelmAndKustomizeInstallTheSame, but for the operator's namespace, which Helm makes itself.
func TestHelmAndKustomizeInstallTheSame(t *testing.T) {
	helm, kustomize := byHelm(t), byKustomize(t, "config/default")
	namespace := "Namespace /" + config.Namespace
	if kustomize[namespace] == nil {
		t.Errorf("config/default does not make namespace %s", config.Namespace)
	}
	delete(kustomize, namespace)
	for name := range kustomize {
		if helm[name] == nil {
			t.Errorf("the chart lacks %s", name)
		}
	}
	for name, object := range helm {
		other := kustomize[name]
		if other == nil {
			t.Errorf("config/default lacks %s", name)
			continue
		}
		if !equality.Semantic.DeepEqual(withoutHelmsOwn(object).Object, withoutHelmsOwn(other).Object) {
			t.Errorf("%s differs: run make manifests", name)
		}
	}
	if len(helm) < 40 {
		t.Errorf("there are only %d objects: %q", len(helm), slices.Sorted(maps.Keys(helm)))
	}
}

// TestEveryArgumentIsAFlag of the role that is given it, with a value that it takes.
func TestEveryArgumentIsAFlag(t *testing.T) {
	for name, values := range map[string][]string{
		"the chart's own values": nil,
		"whatever can be set": {
			"issuer=https://auth.example.com", "consoleNamespaces={platform,console}", "log.level=debug", "log.format=text",
			"connections.egressAllow={10.0.0.0/8}", "connections.egressAllowHTTP=true", "connections.egressCAConfigMap=providers",
			"notifications.url=https://hooks.example.com", "notifications.keySecret=hook", "manager.servingDNSNames={auth.example.com}",
			"manager.signingAlgorithm=EdDSA", "tokenService.extAuthz.enabled=true", "tokenService.trustedProxies={10.0.0.0/8}",
			"tokenService.corsAllowedOrigins={https://app.example.com}", "tokenService.otlpEndpoint=http://collector:4318",
			"connect.url=https://connect.example.com", "connect.trustedProxies={10.0.0.0/8}", "connect.extraArgs={--sign-in-token-budget=off}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			objects := byHelm(t, values...)
			for _, role := range []string{"manager", "token-service", "connect"} {
				args := argumentsOf(t, objects["Deployment "+config.Namespace+"/claviger-"+role])
				if len(args) == 0 || args[0] != role {
					t.Fatalf("%s is started as %q", role, args)
				}
				command, rest, err := app.NewCommand().Find(args)
				if err == nil {
					err = command.ParseFlags(rest)
				}
				if err != nil || command.Name() != role {
					t.Errorf("%s: %v", role, err)
				}
			}
		})
	}
}

func argumentsOf(t *testing.T, deployment *unstructured.Unstructured) []string {
	t.Helper()
	if deployment == nil {
		t.Fatal("there is no such Deployment")
	}
	containers, _, err := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	if err != nil || len(containers) != 1 {
		t.Fatalf("%d containers, %v", len(containers), err)
	}
	args, _, err := unstructured.NestedStringSlice(containers[0].(map[string]any), "args")
	if err != nil {
		t.Fatal(err)
	}
	return args
}

// TestValuesThatCannotBe are refused before anything is installed, with a message that names them.
func TestValuesThatCannotBe(t *testing.T) {
	for value, message := range map[string]string{
		"tokenService.replicas=0":                        "/tokenService/replicas",
		"manager.sgningAlgorithm=ES256":                  "sgningAlgorithm",
		"issuer=auth.example.com":                        "/issuer",
		"issuer=https://auth.example.com/":               "/issuer",
		"connections.egressAllow={everything}":           "/connections/egressAllow/0",
		"image.digest=latest":                            "/image/digest",
		"notifications.url=https://hook.example":         "notifications.keySecret is needed",
		"connections.namespace=claviger-system":          "connections.namespace must be another",
		"clusterDomain=a: b":                             "/clusterDomain",
		"image.repository=a b":                           "/image/repository",
		"image.tag=a b":                                  "/image/tag",
		"manager.servingDNSNames={a: b}":                 "/manager/servingDNSNames/0",
		"tokenService.accountHeader=X: y":                "/tokenService/accountHeader",
		"tokenService.corsAllowedOrigins={https://a: b}": "/tokenService/corsAllowedOrigins/0",
	} {
		if _, err := tryHelm(value); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: got %v", value, err)
		}
	}
}

// TestWhatCanBeLeftOut is.
func TestWhatCanBeLeftOut(t *testing.T) {
	for _, row := range []struct {
		values []string
		// gone begins or ends the names of objects that are not there then.
		gone string
	}{
		{[]string{"connect.enabled=false"}, "/claviger-connect"},
		{[]string{"networkPolicy.enabled=false"}, "NetworkPolicy "},
		{[]string{"crds.install=false"}, "CustomResourceDefinition"},
		{[]string{"connections.createNamespace=false"}, "Namespace /"},
		{[]string{"manager.replicas=1"}, "PodDisruptionBudget " + config.Namespace + "/claviger-manager"},
		{nil, "/claviger-gate"},
		{nil, "HorizontalPodAutoscaler"},
	} {
		for name := range byHelm(t, row.values...) {
			if strings.HasSuffix(name, row.gone) || strings.HasPrefix(name, row.gone) {
				t.Errorf("with %q there is %s", row.values, name)
			}
		}
	}
	with := byHelm(t, "tokenService.autoscaling.enabled=true", "gate.rbac=true")
	for _, name := range []string{"HorizontalPodAutoscaler " + config.Namespace + "/claviger-token-service", "ServiceAccount " + config.Namespace + "/claviger-gate"} {
		if with[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
	if _, fixed, _ := unstructured.NestedInt64(with["Deployment "+config.Namespace+"/claviger-token-service"].Object, "spec", "replicas"); fixed {
		t.Error("the Deployment names its replicas, which are the autoscaler's to choose")
	}
}
