// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"os"
	"path/filepath"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	extauthzv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"sigs.k8s.io/yaml"
)

// TestEnvoyTakesTheFiles reads them as Envoy does: by its own types, every field known, every rule of theirs kept.
func TestEnvoyTakesTheFiles(t *testing.T) {
	for _, file := range []string{"envoy-ext-authz.yaml", "envoy-ext-authz-http.yaml"} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", "..", "docs", "gateways", file))
			if err != nil {
				t.Fatal(err)
			}
			json, err := yaml.YAMLToJSONStrict(text)
			if err != nil {
				t.Fatal(err)
			}
			bootstrap := &bootstrapv3.Bootstrap{}
			if err := protojson.Unmarshal(json, bootstrap); err != nil {
				t.Fatal(err)
			}
			if err := bootstrap.ValidateAll(); err != nil {
				t.Error(err)
			}
			checkListener(t, bootstrap)
		})
	}
}

// checkListener follows the parts that are packed, which the rules of the whole do not reach.
func checkListener(t *testing.T, bootstrap *bootstrapv3.Bootstrap) {
	t.Helper()
	manager := &hcmv3.HttpConnectionManager{}
	if err := bootstrap.GetStaticResources().GetListeners()[0].GetFilterChains()[0].GetFilters()[0].GetTypedConfig().UnmarshalTo(manager); err != nil {
		t.Fatal(err)
	}
	if err := manager.ValidateAll(); err != nil {
		t.Error(err)
	}
	filter := &extauthzv3.ExtAuthz{}
	if err := manager.GetHttpFilters()[0].GetTypedConfig().UnmarshalTo(filter); err != nil {
		t.Fatal(err)
	}
	if err := filter.ValidateAll(); err != nil {
		t.Error(err)
	}
	if filter.GetFailureModeAllow() || filter.GetWithRequestBody() != nil || !filter.GetEncodeRawHeaders() {
		t.Error("no answer must be no, the body must stay, and headers must come as they are")
	}
	for _, route := range manager.GetRouteConfig().GetVirtualHosts()[0].GetRoutes() {
		for name, packed := range route.GetTypedPerFilterConfig() {
			settings := &extauthzv3.ExtAuthzPerRoute{}
			if err := packed.UnmarshalTo(settings); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := settings.ValidateAll(); err != nil || settings.GetDisabled() {
				t.Errorf("%s: disabled %t, %v", name, settings.GetDisabled(), err)
			}
		}
	}
}
