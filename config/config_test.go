// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/credential"
)

// load reads manifests that must be there.
func load(t *testing.T, read func() ([]*unstructured.Unstructured, error)) []*unstructured.Unstructured {
	t.Helper()
	objects, err := read()
	if err != nil || len(objects) == 0 {
		t.Fatalf("got %d objects, %v", len(objects), err)
	}
	return objects
}

// name tells objects apart: kind, namespace and name.
func name(object *unstructured.Unstructured) string {
	return strings.Join([]string{object.GetKind(), object.GetNamespace(), object.GetName()}, "/")
}

// decode reads an object as its Go type, and fails on a field that the type does not have.
func decode[T any](t *testing.T, object *unstructured.Unstructured) T {
	t.Helper()
	var typed T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &typed, true); err != nil {
		t.Errorf("%s: %v", name(object), err)
	}
	return typed
}

func TestCRDs(t *testing.T) {
	served := map[string]reflect.Type{
		"Account":           reflect.TypeFor[v1alpha1.Account](),
		"ClientCredential":  reflect.TypeFor[v1alpha1.ClientCredential](),
		"ProtectedResource": reflect.TypeFor[v1alpha1.ProtectedResource](),
		"RevokedToken":      reflect.TypeFor[v1alpha1.RevokedToken](),
		"Connector":         reflect.TypeFor[v1alpha1.Connector](),
		"AccountConnector":  reflect.TypeFor[v1alpha1.AccountConnector](),
	}
	crds := load(t, config.CRDs)
	if len(crds) != len(served) {
		t.Errorf("got %d, want %d", len(crds), len(served))
	}
	for _, crd := range crds {
		text := func(path ...string) string {
			found, _, _ := unstructured.NestedString(crd.Object, path...)
			return found
		}
		kind := text("spec", "names", "kind")
		if served[kind] == nil || crd.GetKind() != "CustomResourceDefinition" || text("spec", "group") != v1alpha1.GroupVersion.Group {
			t.Fatalf("%s is the CRD of kind %q, group %q", name(crd), kind, text("spec", "group"))
		}
		if want := text("spec", "names", "plural") + "." + v1alpha1.GroupVersion.Group; crd.GetName() != want {
			t.Errorf("%s: its name must be %s", name(crd), want)
		}
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		if len(versions) != 1 {
			t.Fatalf("%s: got %d versions", name(crd), len(versions))
		}
		version := versions[0].(map[string]any)
		if version["name"] != v1alpha1.GroupVersion.Version || version["served"] != true || version["storage"] != true {
			t.Errorf("%s: got version %v", name(crd), version["name"])
		}
		_, hasStatus := served[kind].FieldByName("Status")
		if _, found, _ := unstructured.NestedMap(version, "subresources", "status"); found != hasStatus {
			t.Errorf("%s: a status that is no subresource can be forged by who may edit the spec", name(crd))
		}
	}
}

// rights are the RBAC objects by what they are.
type rights struct {
	roles    map[string][]rbacv1.PolicyRule // by name(), as a reference spells it
	accounts []string
	bindings []binding
}

type binding struct {
	name, role string
	subjects   []rbacv1.Subject
}

func loadRights(t *testing.T) rights {
	t.Helper()
	all := rights{roles: map[string][]rbacv1.PolicyRule{}}
	for _, object := range load(t, config.RBAC) {
		at := name(object)
		switch kind := object.GroupVersionKind().String(); kind {
		case "/v1, Kind=ServiceAccount":
			decode[corev1.ServiceAccount](t, object)
			all.accounts = append(all.accounts, at)
		case "rbac.authorization.k8s.io/v1, Kind=Role":
			all.roles[at] = decode[rbacv1.Role](t, object).Rules
		case "rbac.authorization.k8s.io/v1, Kind=ClusterRole":
			all.roles[at] = decode[rbacv1.ClusterRole](t, object).Rules
		case "rbac.authorization.k8s.io/v1, Kind=RoleBinding":
			bound := decode[rbacv1.RoleBinding](t, object)
			role := bound.RoleRef.Kind + "//" + bound.RoleRef.Name
			if bound.RoleRef.Kind == "Role" {
				role = "Role/" + bound.Namespace + "/" + bound.RoleRef.Name
			}
			all.bindings = append(all.bindings, binding{at, role, bound.Subjects})
		case "rbac.authorization.k8s.io/v1, Kind=ClusterRoleBinding":
			bound := decode[rbacv1.ClusterRoleBinding](t, object)
			all.bindings = append(all.bindings, binding{at, bound.RoleRef.Kind + "//" + bound.RoleRef.Name, bound.Subjects})
		default:
			t.Errorf("%s is of kind %s", at, kind)
		}
	}
	return all
}

func TestRBACRefersToWhatExists(t *testing.T) {
	all := loadRights(t)
	bound := map[string]bool{}
	for _, binding := range all.bindings {
		if all.roles[binding.role] == nil {
			t.Errorf("%s binds %s, which does not exist", binding.name, binding.role)
		}
		if len(binding.subjects) == 0 {
			t.Errorf("%s binds nobody", binding.name)
		}
		for _, subject := range binding.subjects {
			who := subject.Kind + "/" + subject.Namespace + "/" + subject.Name
			if !slices.Contains(all.accounts, who) {
				t.Errorf("%s binds %s, which does not exist", binding.name, who)
			}
			bound[who] = true
		}
	}
	for _, account := range all.accounts {
		if !bound[account] {
			t.Errorf("%s has no rights", account)
		}
	}
}

// TestRBACIsInTheNamespaces of the operator: its own, and that of connections, where the manager and the connect role
// alone have rights.
func TestRBACIsInTheNamespaces(t *testing.T) {
	clusterWide := []string{"ClusterRole", "ClusterRoleBinding"}
	seen := map[string]bool{}
	for _, object := range load(t, config.RBAC) {
		want := []string{config.Namespace}
		switch {
		case slices.Contains(clusterWide, object.GetKind()):
			want = []string{""}
		case object.GetKind() != "ServiceAccount" && slices.Contains([]string{"claviger-manager", "claviger-connect"}, object.GetName()):
			want = append(want, config.ConnectionsNamespace)
		}
		if !slices.Contains(want, object.GetNamespace()) {
			t.Errorf("%s: want one of the namespaces %q", name(object), want)
		}
		if seen[name(object)] {
			t.Errorf("%s is there twice", name(object))
		}
		seen[name(object)] = true
	}
}

// TestRBACIsNarrow: no wildcard anywhere; the token service reads Secrets only by name, and writes nothing but RevokedTokens,
// which it creates in its own namespace; the gate reads no Secret and writes nothing; the connect role has Secrets in the connections
// namespace alone, and lists none.
func TestRBACIsNarrow(t *testing.T) {
	for role, rules := range loadRights(t).roles {
		for _, rule := range rules {
			if slices.Contains(slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs), "*") {
				t.Errorf("%s: a wildcard in %v", role, rule)
			}
			if strings.HasSuffix(role, "/claviger-gate") && (slices.Contains(rule.Resources, "secrets") || !slices.Equal(rule.Verbs, []string{"list", "watch"})) {
				t.Errorf("%s may %s %s", role, rule.Verbs, rule.Resources)
			}
			if strings.HasSuffix(role, "/claviger-connect") && !isConnects(role, rule) {
				t.Errorf("%s may %s %s", role, rule.Verbs, rule.Resources)
			}
			if !strings.HasSuffix(role, "/claviger-token-service") {
				continue
			}
			for _, verb := range rule.Verbs {
				revokes := verb == "create" && role == "Role/claviger-system/claviger-token-service" && slices.Equal(rule.Resources, []string{"revokedtokens"})
				if verb != "get" && verb != "list" && verb != "watch" && !revokes {
					t.Errorf("%s may %s %s", role, verb, rule.Resources)
				}
			}
			names := []string{v1alpha1.PepperSecretName, v1alpha1.SigningKeysSecretName, v1alpha1.ServingSecretName}
			if slices.Contains(rule.Resources, "secrets") && !slices.Equal(rule.ResourceNames, names) {
				t.Errorf("%s may read the Secrets %q", role, rule.ResourceNames)
			}
		}
	}
}

// isConnects reports whether the connect role shall have a right: to look, or to its Secrets one by one.
func isConnects(role string, rule rbacv1.PolicyRule) bool {
	if slices.Contains(rule.Resources, "secrets") {
		return role == "Role/"+config.ConnectionsNamespace+"/claviger-connect" && slices.Equal(rule.Verbs, []string{"get", "create", "patch", "delete"})
	}
	return slices.Equal(rule.Verbs, []string{"list", "watch"})
}

// TestWhoRevokes: a RevokedToken kills a token and deleting it brings the token back to life, so rights to them are rare, and
// nobody changes one.
func TestWhoRevokes(t *testing.T) {
	got := map[string]string{}
	for role, rules := range loadRights(t).roles {
		for _, rule := range rules {
			if slices.Contains(rule.Resources, "revokedtokens") {
				got[role] += strings.Join(rule.Verbs, " ")
			}
		}
	}
	want := map[string]string{
		"Role/claviger-system/claviger-manager":       "list watch delete",
		"Role/claviger-system/claviger-token-service": "create get list watch",
		"Role/claviger-system/claviger-gate":          "list watch",
		"Role/claviger-system/claviger-connect":       "list watch",
		"ClusterRole//claviger-revoke":                "get list watch create delete",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestSamplesAreAllowed: the samples decode, in an order in which they can be created, and the rules allow them.
func TestSamplesAreAllowed(t *testing.T) {
	objects := load(t, config.Samples)
	var kinds []string
	for _, object := range objects {
		kinds = append(kinds, object.GetKind())
	}
	if !slices.Equal(kinds, []string{"Namespace", "Account", "ClientCredential"}) {
		t.Fatalf("got the kinds %q", kinds)
	}
	namespace := decode[corev1.Namespace](t, objects[0])
	sample := decode[v1alpha1.Account](t, objects[1])
	object := decode[v1alpha1.ClientCredential](t, objects[2])
	for _, made := range []metav1.TypeMeta{sample.TypeMeta, object.TypeMeta} {
		if made.APIVersion != v1alpha1.GroupVersion.String() {
			t.Errorf("%s is of %s", made.Kind, made.APIVersion)
		}
	}
	account, err := credential.ReadAccount(&sample)
	if err != nil {
		t.Fatal(err)
	}
	client := credential.ReadClient(&object)
	if client.Namespace != namespace.Name || client.AccountID != account.ID {
		t.Errorf("the credential is in %s and of account %s", client.Namespace, client.AccountID)
	}
	if err := (credential.Rules{}).Judge(credential.Subject{
		Client: client, Account: account, Namespace: credential.Namespace{Name: namespace.Name, Labels: labels.Set(namespace.Labels)},
	}); err != nil {
		t.Error(err)
	}
}

func TestSampleFiles(t *testing.T) {
	text, err := config.SampleFiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range load(t, config.Samples) {
		if !strings.Contains(text, "kind: "+object.GetKind()) {
			t.Errorf("%s is not in the file", name(object))
		}
	}
}
