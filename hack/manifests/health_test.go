// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"os"
	"strings"
	"testing"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// sample is a status with what tools must make of it.
type sample struct {
	Name    string         `json:"name"`
	ArgoCD  string         `json:"argocd"`
	KStatus kstatus.Status `json:"kstatus"`
	Flux    kstatus.Status `json:"flux"`
	Object  map[string]any `json:"object"`
}

func samples(t *testing.T) []sample {
	t.Helper()
	content, err := os.ReadFile("testdata/statuses.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var found []sample
	if err := yaml.UnmarshalStrict(content, &found); err != nil || len(found) == 0 {
		t.Fatalf("got %d, %v", len(found), err)
	}
	return found
}

// object gives the object of a sample with numbers as the API's clients have them.
func (s sample) object(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	content, err := yaml.Marshal(s.Object)
	if err != nil {
		t.Fatal(err)
	}
	content, err = yaml.YAMLToJSON(content)
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(content); err != nil {
		t.Fatal(err)
	}
	return object
}

// scripts gives the health checks by kind.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	patch := objects(t, "config/argocd/argocd-cm.yaml")
	if len(patch) != 1 || patch[0].GetKind() != "ConfigMap" || patch[0].GetName() != "argocd-cm" {
		t.Fatalf("it is not one patch of argocd-cm: %v", patch)
	}
	data, _, err := unstructured.NestedStringMap(patch[0].Object, "data")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for key, script := range data {
		kind, ours := strings.CutPrefix(key, "resource.customizations.health.claviger.dev_")
		if !ours {
			t.Errorf("it would change %s", key)
		}
		found[kind] = script
	}
	return found
}

// TestEveryKindHasAHealthCheck, and no other.
func TestEveryKindHasAHealthCheck(t *testing.T) {
	checks, shown := scripts(t), map[string]bool{}
	for _, sample := range samples(t) {
		shown[sample.object(t).GetKind()] = true
	}
	for kind := range crds(t) {
		if checks[kind] == "" || !shown[kind] {
			t.Errorf("%s has no health check, or no sample", kind)
		}
		delete(checks, kind)
	}
	for kind := range checks {
		t.Errorf("there is no kind %s", kind)
	}
}

// TestArgoCDTellsTheHealth, by the scripts that it is given, of every sample.
func TestArgoCDTellsTheHealth(t *testing.T) {
	checks := scripts(t)
	for _, sample := range samples(t) {
		t.Run(sample.Name, func(t *testing.T) {
			object := sample.object(t)
			health, message := runHealthCheck(t, checks[object.GetKind()], object)
			if health != sample.ArgoCD || message == "" {
				t.Errorf("got %s: %q, want %s", health, message, sample.ArgoCD)
			}
		})
	}
}

// TestAConnectionThatWorksSaysWhatWillNot: it is healthy, and its message is that of the condition that somebody should look at.
func TestAConnectionThatWorksSaysWhatWillNot(t *testing.T) {
	for _, sample := range samples(t) {
		if sample.Name == "a connection with a live token, whose grant ends soon" {
			if _, message := runHealthCheck(t, scripts(t)["AccountConnector"], sample.object(t)); !strings.Contains(message, "The grant ends at") {
				t.Errorf("got %q", message)
			}
			return
		}
	}
	t.Error("there is no such sample")
}

// runHealthCheck runs a script as Argo CD does: the object is the global obj, and a table with status and message is returned. It has
// no more than the libraries that Argo CD lets every script have.
func runHealthCheck(t *testing.T, script string, object *unstructured.Unstructured) (health, message string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		state.Push(state.NewFunction(open))
		state.Push(lua.LString(name))
		state.Call(1, 0)
	}
	state.SetGlobal("obj", value(state, object.Object))
	if err := state.DoString(script); err != nil {
		t.Fatal(err)
	}
	answer, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("it returns %v", state.Get(-1))
	}
	return answer.RawGetString("status").String(), answer.RawGetString("message").String()
}

// value makes a value of JSON one of Lua.
func value(state *lua.LState, from any) lua.LValue {
	switch from := from.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, element := range from {
			table.RawSetString(key, value(state, element))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, element := range from {
			table.Append(value(state, element))
		}
		return table
	case string:
		return lua.LString(from)
	case bool:
		return lua.LBool(from)
	case int64:
		return lua.LNumber(from)
	case float64:
		return lua.LNumber(from)
	default:
		return lua.LNil
	}
}

// TestKStatusTellsTheHealth of every sample, without being told how.
func TestKStatusTellsTheHealth(t *testing.T) {
	for _, sample := range samples(t) {
		t.Run(sample.Name, func(t *testing.T) {
			if got, err := kstatus.Compute(sample.object(t)); err != nil || got.Status != sample.KStatus {
				t.Errorf("got %v, %v, want %s", got, err, sample.KStatus)
			}
		})
	}
}

// TestFluxTellsTheHealthOfConnections by the expressions of the guide: those that wait for a user, or that somebody has stopped, hold
// nothing up.
func TestFluxTellsTheHealthOfConnections(t *testing.T) {
	evaluator, err := cel.NewStatusEvaluator(expressions(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range samples(t) {
		object := sample.object(t)
		if object.GetKind() != "AccountConnector" {
			continue
		}
		t.Run(sample.Name, func(t *testing.T) {
			if got, err := evaluator.Evaluate(t.Context(), object); err != nil || got.Status != sample.Flux {
				t.Errorf("got %v, %v, want %s", got, err, sample.Flux)
			}
		})
	}
}

// expressions reads those for connections from the Kustomization in docs/guides/gitops.md.
func expressions(t *testing.T) *kustomize.HealthCheckExpressions {
	t.Helper()
	for _, block := range strings.Split(text(t, "docs/guides/gitops.md"), "```yaml\n")[1:] {
		content, _, _ := strings.Cut(block, "```")
		for document := range strings.SplitSeq(content, "---\n") {
			var found struct {
				Kind string `json:"kind"`
				Spec struct {
					HealthCheckExprs []kustomize.CustomHealthCheck `json:"healthCheckExprs"`
				} `json:"spec"`
			}
			if err := yaml.Unmarshal([]byte(document), &found); err != nil {
				t.Fatalf("%v in\n%s", err, document)
			}
			for _, check := range found.Spec.HealthCheckExprs {
				if check.Kind == "AccountConnector" && check.APIVersion == "claviger.dev/v1alpha1" {
					return &check.HealthCheckExpressions
				}
			}
		}
	}
	t.Fatal("the guide has none")
	return nil
}
