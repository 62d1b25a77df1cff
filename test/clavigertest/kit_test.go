// SPDX-License-Identifier: Apache-2.0

package clavigertest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/clavigertest"
	"github.com/claviger/claviger/test/leak"
)

// account is a manifest of an Account that lets namespace default have its credentials.
func account(name string) string {
	return `
apiVersion: claviger.dev/v1alpha1
kind: Account
metadata: {name: ` + name + `}
spec: {namespaces: {names: [default]}}
`
}

// credential is a manifest of a ClientCredential of that account in a namespace.
func credential(namespace, name string) string {
	return `
apiVersion: claviger.dev/v1alpha1
kind: ClientCredential
metadata: {name: ` + name + `, namespace: ` + namespace + `}
spec: {accountRef: {name: ` + name + `}, scopes: [Webhook]}
`
}

const separator = "---"

func TestManifestsOfEveryFormAreApplied(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		files fstest.MapFS
		paths []string
		want  []string
	}{
		"a file of several": {
			fstest.MapFS{"all.yaml": file(account("several") + separator + credential("default", "several") + separator + "\n")},
			[]string{"all.yaml"},
			[]string{"several", "several"},
		},
		"what a namespace is for before the namespace": {
			fstest.MapFS{"all.yaml": file(`{apiVersion: v1, kind: ConfigMap, metadata: {name: early, namespace: late}}` + "\n" + separator + "\n" +
				`{apiVersion: v1, kind: Namespace, metadata: {name: late}}`)},
			[]string{"all.yaml"},
			[]string{"early", "late"},
		},
		"an object before the kind that it is of": {
			fstest.MapFS{"a.yaml": file(`{apiVersion: example.com/v1, kind: Sort, metadata: {name: sorted, namespace: default}}`), "b.yaml": file(sorts)},
			nil,
			[]string{"sorted", "sorts.example.com"},
		},
		"JSON, and a list": {
			fstest.MapFS{"list.json": file(`{"apiVersion":"v1","kind":"List","items":[
				{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one","namespace":"default"}},
				{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"two"}}]}`)},
			[]string{"list.json"},
			[]string{"one", "two"},
		},
		"a folder, without what is no manifest and what is below": {
			fstest.MapFS{
				"deploy/b.yml":              file(`{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}`),
				"deploy/a.yaml":             file(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`),
				"deploy/kustomization.yaml": file(`{kind: Kustomization, resources: [a.yaml]}`),
				"deploy/README.md":          file(`# Nothing`),
				"deploy/below/c.yaml":       file(`{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}`),
			},
			[]string{"deploy"},
			[]string{"a", "b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, object := range kit.ApplyFS(t, row.files, row.paths...) {
				got = append(got, object.GetName())
				if object.GetUID() == "" {
					t.Errorf("%s is not as the API server has it", object.GetName())
				}
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func file(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }

const sorts = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: sorts.example.com}
spec:
  group: example.com
  names: {kind: Sort, listKind: SortList, plural: sorts, singular: sort}
  scope: Namespaced
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
`

// secretText stands for a secret in manifests.
const secretText = "correct-horse-battery-staple"

func TestWhatIsWrongIsTold(t *testing.T) {
	t.Parallel()
	soon := func(t *testing.T) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	for name, row := range map[string]struct {
		attempt func(*testing.T) error
		want    []string
	}{
		"a file that is not there": {
			func(t *testing.T) error {
				return failure(t, func(t testing.TB) { kit.Apply(t, "testdata/nothing.yaml") })
			},
			[]string{"nothing.yaml", "no such file"},
		},
		"a folder without manifests": {
			func(t *testing.T) error {
				_, err := kit.ApplyContext(t.Context(), fstest.MapFS{"README.md": file("")})
				return err
			},
			[]string{"no", "manifests"},
		},
		"a manifest that is no YAML": {
			func(t *testing.T) error { return failure(t, func(t testing.TB) { kit.ApplyYAML(t, "a: [") }) },
			[]string{"yaml"},
		},
		"a field that there is not": {
			func(t *testing.T) error {
				return failure(t, func(t testing.TB) {
					kit.ApplyYAML(t, strings.Replace(account("misspelt"), "namespaces", "namespace", 1))
				})
			},
			[]string{"Account misspelt", "namespace"},
		},
		"what the schema refuses": {
			func(t *testing.T) error {
				return failure(t, func(t testing.TB) {
					kit.ApplyYAML(t, strings.Replace(credential("default", "refused"), "[Webhook]", "[]", 1))
				})
			},
			[]string{"ClientCredential refused", "spec.scopes"},
		},
		"a Secret that the API server refuses, without its values": {
			func(t *testing.T) error {
				return failure(t, func(t testing.TB) {
					kit.ApplyYAML(t, `{apiVersion: v1, kind: Secret, metadata: {name: refused}, data: {password: "`+secretText+`"}}`)
				})
			},
			[]string{"Secret default/refused"},
		},
		"an object that does not exist": {
			func(t *testing.T) error {
				return kit.WaitReadyContext(soon(t), &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Name: "nobody"}})
			},
			[]string{"Account nobody", "does not exist"},
		},
		"an account that is not there, by the conditions": {
			func(t *testing.T) error {
				return kit.WaitReadyContext(soon(t), kit.ApplyYAML(t, credential("default", "orphan"))...)
			},
			[]string{"ClientCredential default/orphan is not Ready", "Ready=False AccountNotFound", "Allowed=False AccountNotFound"},
		},
		"a namespace that the account does not allow": {
			func(t *testing.T) error {
				kit.ApplyYAML(t, account("elsewhere"))
				return kit.WaitReadyContext(soon(t), kit.ApplyYAML(t, credential("kube-public", "elsewhere"))...)
			},
			[]string{"Ready=False NamespaceNotAllowed"},
		},
		"a token of a credential that has no Secret": {
			func(t *testing.T) error {
				_, err := kit.TokenContext(t.Context(), kit.ApplyYAML(t, credential("default", "poor"))[0], nil)
				return err
			},
			[]string{"ClientCredential default/poor has no Secret"},
		},
		"a scope that the credential does not have": {
			func(t *testing.T) error {
				kit.ApplyYAML(t, account("modest"))
				objects := kit.ApplyYAML(t, credential("default", "modest"))
				kit.WaitReady(t, objects...)
				_, err := kit.TokenContext(t.Context(), objects[0], url.Values{"scope": {"MCP"}})
				if refusal, ok := errors.AsType[*clavigertest.TokenError](err); !ok || refusal.Code != "invalid_scope" {
					t.Errorf("got %v", err)
				}
				return err
			},
			[]string{"HTTP status 400", "invalid_scope"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := row.attempt(t)
			if err == nil {
				t.Fatal("nothing was wrong")
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to say %q", err, want)
				}
			}
			if leak.Holds(err.Error(), secretText) {
				t.Error("the value of a Secret is told")
			}
		})
	}
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	failed error
}

func (*recorder) Helper() {}

func (r *recorder) Fatal(args ...any) {
	r.failed = errors.New(fmt.Sprint(args...))
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

// failure says how a test fails.
func failure(t *testing.T, attempt func(testing.TB)) error {
	t.Helper()
	r, done := &recorder{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		attempt(r)
	}()
	<-done
	return r.failed
}

func TestMissingBinariesAreToldWithTheWayToGetThem(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	empty := t.TempDir()
	_, err := clavigertest.Run(t.Context(), clavigertest.WithAssets(empty))
	if err == nil {
		t.Fatal("it runs without binaries")
	}
	for _, want := range []string{empty, "etcd and kube-apiserver", "KUBEBUILDER_ASSETS", "setup-envtest", "hack/control-plane/build.sh"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to say %q", err, want)
		}
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

func TestAStartThatIsGivenUpLeavesLogsAlone(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := clavigertest.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	left, err := filepath.Glob(filepath.Join(temporary, "*", "*"))
	if err != nil || len(left) > 1 || len(left) == 1 && filepath.Base(left[0]) != "logs" {
		t.Errorf("it left %q, %v", left, err)
	}
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, command := range commands {
		if arguments, err := os.ReadFile(command); err == nil && strings.Contains(string(arguments), temporary) {
			t.Errorf("%s still runs", command)
		}
	}
}

// TestSeveralKits: what one process starts beside another has nothing to do with it, and nothing that it logs, or that it says of
// itself, is a secret.
func TestSeveralKits(t *testing.T) {
	var log bytes.Buffer
	other, err := clavigertest.Run(t.Context(), clavigertest.WithLog(&log), clavigertest.WithConsoleNamespaces("platform"))
	if err != nil {
		t.Fatal(err)
	}
	other.ApplyYAML(t, `{apiVersion: v1, kind: Namespace, metadata: {name: platform}}`)
	console := other.ApplyYAML(t, `{apiVersion: claviger.dev/v1alpha1, kind: ClientCredential, metadata: {name: console, namespace: platform}, spec: {scopes: [API]}}`)[0]
	token := other.Token(t, console)

	if other.Issuer() == kit.Issuer() || bytes.Equal(other.CA(), kit.CA()) {
		t.Error("both are the same")
	}
	if _, err := kit.HTTPClient().Get(other.Issuer() + "/oauth/jwks"); err == nil {
		t.Error("one trusts the other")
	}
	if got := verify(t, kit, token, "scope=API"); got != http.StatusUnauthorized {
		t.Errorf("a token of one is good at the other: %d", got)
	}
	if got := verify(t, other, token, "scope=API"); got != http.StatusOK {
		t.Errorf("got %d", got)
	}
	secrets := secretsOf(t, other, token)
	dir := other.Dir()
	for range 2 {
		if err := other.Stop(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("it left its files: %v", err)
	}
	if log.Len() == 0 {
		t.Error("nothing was logged, so this proves nothing")
	}
	told := log.String() + fmt.Sprintf("%v %+v %s", other, other, other)
	if leak.Find(told, slices.Values(secrets)) != "" { // and not which
		t.Error("a secret is told")
	}
}

// secretsOf gives every value of every Secret that is one.
func secretsOf(t *testing.T, kit *clavigertest.Kit, more ...string) []string {
	t.Helper()
	var list corev1.SecretList
	if err := kit.Client().List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	secrets := append(slices.Clone(more), kit.Config().BearerToken)
	for _, secret := range list.Items {
		for key, value := range secret.Data {
			public := []string{"client_id", "issuer", "token_url", "scope", "account", "type", "provider", "ca.crt", "tls.crt", "next.crt"}
			if len(value) >= leak.MinLength && !slices.Contains(public, key) {
				secrets = append(secrets, string(value))
			}
		}
	}
	return secrets
}

func verify(t *testing.T, kit *clavigertest.Kit, token, query string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, kit.VerifyURL()+"?"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := kit.HTTPClient().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// TestBinariesOfEnvtestAreEnough: its tool installs no kube-controller-manager. And a part that ends by itself is told, at once, to who
// waits and to who stops.
func TestBinariesOfEnvtestAreEnough(t *testing.T) {
	assets := t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver"} {
		if err := os.Symlink(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), name), filepath.Join(assets, name)); err != nil {
			t.Fatal(err)
		}
	}
	lean, err := clavigertest.Run(t.Context(), clavigertest.WithAssets(assets))
	if err != nil {
		t.Fatal(err)
	}
	if lean.HasControllers() {
		t.Error("there is a kube-controller-manager")
	}
	objects := lean.Apply(t, "testdata")
	lean.WaitReady(t, objects...)
	lean.ApplyYAML(t, `{apiVersion: v1, kind: Pod, metadata: {name: pod, namespace: acme}, spec: {containers: [{name: main, image: example.com/main}]}}`)

	lean.KillAPIServer()
	const want = "kube-apiserver ended by itself"
	began := time.Now()
	nobody := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Name: "nobody"}}
	if err := lean.WaitReadyContext(t.Context(), nobody); err == nil || time.Since(began) > clavigertest.DefaultTimeout/2 {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	if err := lean.Stop(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestTrustOutlivesCertificates: years later the certificate and its authority are others, and clients go on working.
func TestTrustOutlivesCertificates(t *testing.T) {
	long := clavigertest.Start(t)
	credential := &v1alpha1.ClientCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "orders"}}
	long.Apply(t, "testdata/acme.yaml")
	held := long.HTTPClient()
	for range 3 {
		long.Advance(t, 2*365*24*time.Hour)
		long.Token(t, credential)
		response, err := held.Get(long.Issuer() + "/oauth/jwks")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	if ahead := time.Until(long.Now()); ahead < 5*365*24*time.Hour {
		t.Errorf("the clock is %s ahead", ahead)
	}
}

// TestOtherThanOursIsPassedOver: what Apply gives can be waited for as it is.
func TestOtherThanOursIsPassedOver(t *testing.T) {
	t.Parallel()
	for name, object := range map[string]client.Object{
		"an object of Kubernetes": &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "nothing"}},
		"a RevokedToken":          &v1alpha1.RevokedToken{ObjectMeta: metav1.ObjectMeta{Namespace: "claviger-system", Name: "nothing"}},
	} {
		if err := kit.WaitReadyContext(t.Context(), object); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
