// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	envoyv1alpha1 "github.com/envoyproxy/gateway/api/v1alpha1"
	_ "github.com/traefik/traefik/v3/pkg/ping" // so that go.mod names the module, which has the definitions of its kinds
	"google.golang.org/protobuf/encoding/protojson"
	meshv1alpha1 "istio.io/api/mesh/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

// TestGatewaysTakeTheirObjects holds the objects of docs/gateways to the CustomResourceDefinitions of what reads them: every field is known,
// every type and rule kept.
func TestGatewaysTakeTheirObjects(t *testing.T) {
	gatewayAPI, envoy := module(t, "sigs.k8s.io/gateway-api"), module(t, "github.com/envoyproxy/gateway")
	kinds := definitions(t,
		filepath.Join(gatewayAPI, "config/crd/standard/*.yaml"),
		filepath.Join(envoy, "charts/gateway-helm/charts/crds/crds/generated/*.yaml"),
		filepath.Join(module(t, "istio.io/api"), "kubernetes/customresourcedefinitions.gen.yaml"),
		filepath.Join(root, "config/crd/bases/*.yaml"),
	)
	for file, want := range map[string][]string{
		"envoy-gateway.yaml": {"HTTPRoute", "SecurityPolicy", "ClientTrafficPolicy", "ReferenceGrant", "BackendTLSPolicy"},
		"istio.yaml":         {"AuthorizationPolicy"},
		"authorino.yaml":     {"ClientCredential"},
	} {
		t.Run(file, func(t *testing.T) {
			var known []string
			for _, object := range objects(t, "docs/gateways/"+file) {
				if definition, is := kinds[object.GroupVersionKind()]; is {
					known = append(known, object.GetKind())
					definition.check(t, object)
				}
			}
			if !slices.Equal(known, want) {
				t.Errorf("there are definitions for %v, want %v", known, want)
			}
		})
	}
}

// TestIstioTakesTheMesh reads what istio.yaml has of the mesh configuration by Istio's own types.
func TestIstioTakesTheMesh(t *testing.T) {
	for _, object := range objects(t, "docs/gateways/istio.yaml") {
		if object.GetKind() != "IstioOperator" {
			continue
		}
		written, _, _ := unstructured.NestedMap(object.Object, "spec", "meshConfig")
		raw, err := json.Marshal(written)
		if err != nil {
			t.Fatal(err)
		}
		mesh := &meshv1alpha1.MeshConfig{}
		if err := protojson.Unmarshal(raw, mesh); err != nil {
			t.Fatal(err)
		}
		for _, provider := range mesh.GetExtensionProviders() {
			if asks := provider.GetEnvoyExtAuthzHttp(); asks.GetFailOpen() || asks.GetIncludeRequestBodyInCheck() != nil {
				t.Errorf("%s: no answer must be no, and the body stays", provider.GetName())
			}
		}
		if len(mesh.GetExtensionProviders()) == 0 {
			t.Error("there is no provider")
		}
		return
	}
	t.Error("there is no mesh configuration")
}

// traefikFile is what a file of Traefik's file provider has.
type traefikFile struct {
	HTTP struct {
		Middlewares map[string]map[string]any `json:"middlewares"`
		Routers     map[string]struct {
			Rule        string   `json:"rule"`
			Middlewares []string `json:"middlewares"`
			Service     string   `json:"service"`
		} `json:"routers"`
		Services map[string]any `json:"services"`
	} `json:"http"`
}

// TestTraefikTakesTheMiddlewares reads each as the spec of an object of kind Middleware, which the file says that it is, and follows what
// the routers name.
func TestTraefikTakesTheMiddlewares(t *testing.T) {
	kinds := definitions(t, filepath.Join(module(t, "github.com/traefik/traefik/v3"), "docs/content/reference/dynamic-configuration/traefik.io_middlewares.yaml"))
	var file traefikFile
	if err := yaml.UnmarshalStrict([]byte(text(t, "docs/gateways/traefik.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	for name, spec := range file.HTTP.Middlewares {
		middleware := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
		middleware.SetAPIVersion("traefik.io/v1alpha1")
		middleware.SetKind("Middleware")
		middleware.SetName(name)
		kinds[middleware.GroupVersionKind()].check(t, middleware)
	}
	for name, router := range file.HTTP.Routers {
		for _, middleware := range router.Middlewares {
			if file.HTTP.Middlewares[middleware] == nil {
				t.Errorf("router %s has a middleware %s, and there is none", name, middleware)
			}
		}
		if len(router.Middlewares) != 3 || router.Middlewares[0] != "claviger-strip" || router.Middlewares[2] != "claviger-done" {
			t.Errorf("router %s has %v: first what the caller claims goes, then there is a verdict, then the token goes", name, router.Middlewares)
		}
		if file.HTTP.Services[router.Service] == nil {
			t.Errorf("router %s has no service", name)
		}
	}
	if len(file.HTTP.Middlewares) < 3 || len(file.HTTP.Routers) == 0 {
		t.Errorf("middlewares %v and %d routers", slices.Sorted(maps.Keys(file.HTTP.Middlewares)), len(file.HTTP.Routers))
	}
}

// TestEnvoyGatewayFailsClosed holds its policy and its route to what docs/gateways.md says of any gateway.
func TestEnvoyGatewayFailsClosed(t *testing.T) {
	policy, route := &envoyv1alpha1.SecurityPolicy{}, &gatewayv1.HTTPRoute{}
	for _, object := range objects(t, "docs/gateways/envoy-gateway.yaml") {
		into := map[string]any{"SecurityPolicy": policy, "HTTPRoute": route}[object.GetKind()]
		if into == nil {
			continue
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, into, true); err != nil {
			t.Fatal(err)
		}
	}
	asks := policy.Spec.ExtAuth
	if asks == nil || asks.GRPC == nil || ptr.Deref(asks.FailOpen, true) || asks.BodyToExtAuth != nil || len(asks.ContextExtensions) == 0 {
		t.Errorf("no answer must be no, the body stays, and the guard is the gateway's: %+v", asks)
	}
	if string(policy.Spec.TargetRefs[0].Name) != route.Name || policy.Namespace != route.Namespace {
		t.Error("the policy guards another route")
	}
	if filter := route.Spec.Rules[0].Filters[0].RequestHeaderModifier; filter == nil || !slices.Equal(filter.Remove, []string{"Authorization"}) {
		t.Error("the token must end at the gateway")
	}
}
