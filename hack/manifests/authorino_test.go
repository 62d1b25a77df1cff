// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/cel"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// answer is the introspection answer that docs/endpoints.md shows; test/conformance holds the token service to it.
func answer(t *testing.T) map[string]any {
	t.Helper()
	shown := regexp.MustCompile(`(?m)^\{"active":true.*\}$`).FindString(text(t, "docs/endpoints.md"))
	claims := map[string]any{}
	if err := json.Unmarshal([]byte(shown), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// authConfig gives a part of the spec of Authorino's AuthConfig.
func authConfig(t *testing.T, path ...string) any {
	t.Helper()
	for _, object := range objects(t, "docs/gateways/authorino.yaml") {
		if object.GetKind() == "AuthConfig" {
			part, is, err := unstructured.NestedFieldNoCopy(object.Object, append([]string{"spec"}, path...)...)
			if err != nil || !is {
				t.Fatalf("%v: %v", path, err)
			}
			return part
		}
	}
	t.Fatal("there is no AuthConfig")
	return nil
}

// evaluate gives what an expression says of an identity, as Authorino evaluates it: in CEL with nothing but its standard library, over JSON.
func evaluate(t *testing.T, expression string, identity map[string]any) (any, error) {
	t.Helper()
	environment, err := cel.NewEnv(cel.Variable("auth", cel.ObjectType("google.protobuf.Struct")))
	if err != nil {
		t.Fatal(err)
	}
	parsed, issues := environment.Compile(expression)
	if issues.Err() != nil {
		t.Fatalf("%s: %v", expression, issues.Err())
	}
	program, err := environment.Program(parsed)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	auth, err := structpb.NewStruct(map[string]any{"identity": identity})
	if err != nil {
		t.Fatal(err)
	}
	value, _, err := program.Eval(map[string]any{"auth": auth})
	if err != nil {
		return nil, err
	}
	return value.Value(), nil
}

// TestAuthorinoAdmitsWhatVerifyDoes evaluates the rules over answers of introspection. One that cannot be evaluated admits nobody.
func TestAuthorinoAdmitsWhatVerifyDoes(t *testing.T) {
	patterns, _ := authConfig(t, "authorization", "webhook-of-acme", "patternMatching", "patterns").([]any)
	if len(patterns) == 0 {
		t.Fatal("there are no rules")
	}
	for name, row := range map[string]struct {
		differs map[string]any
		admits  bool
	}{
		"a token of the account for webhooks":      {nil, true},
		"one that has other scopes, too":           {map[string]any{"scope": "MCP Webhook"}, true},
		"one for a resource and for the rest":      {map[string]any{"aud": []any{"https://mcp.acme.example/mcp", "https://auth.example.com"}}, true},
		"one with another scope":                   {map[string]any{"scope": "MCP"}, false},
		"one with a scope that begins like it":     {map[string]any{"scope": "Webhooks"}, false},
		"one with a scope that ends like it":       {map[string]any{"scope": "API NoWebhook"}, false},
		"one of another account":                   {map[string]any{"account": "globex"}, false},
		"one of the console, which has no account": {map[string]any{"account": nil, "scope": "API"}, false},
		"one for a resource, which this is not":    {map[string]any{"aud": []any{"https://mcp.acme.example/mcp"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			identity := answer(t)
			for claim, value := range row.differs {
				identity[claim] = value
				if value == nil {
					delete(identity, claim)
				}
			}
			admits := true
			for _, pattern := range patterns {
				holds, err := evaluate(t, pattern.(map[string]any)["predicate"].(string), identity)
				admits = admits && err == nil && holds == true
			}
			if admits != row.admits {
				t.Errorf("admitted: %v, want %v", admits, row.admits)
			}
		})
	}
}

// TestAuthorinoSaysWhoCalls evaluates the headers for what is guarded: expressions, and selectors, which are paths.
func TestAuthorinoSaysWhoCalls(t *testing.T) {
	headers, _ := authConfig(t, "response", "success", "headers").(map[string]any)
	said := map[string]any{}
	for name := range headers {
		plain, _ := authConfig(t, "response", "success", "headers", name, "plain").(map[string]any)
		var err error
		if selector, is := plain["selector"].(string); is {
			said[name], _, err = unstructured.NestedString(map[string]any{"auth": map[string]any{"identity": answer(t)}}, strings.Split(selector, ".")...)
		} else {
			expression, _ := plain["expression"].(string)
			said[name], err = evaluate(t, expression, answer(t))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]any{
		"X-Claviger-Client-Id": "acme.orders", "X-Claviger-Account": "acme", "X-Claviger-Scope": "Webhook",
		"X-Claviger-Expires": time.Unix(1772370000, 0).UTC().Format(time.RFC3339),
	}
	if !maps.Equal(said, want) {
		t.Errorf("said %v, want %v", said, want)
	}
}
