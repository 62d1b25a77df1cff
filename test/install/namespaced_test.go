// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/go-logr/logr"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/server/stop"
	"github.com/claviger/claviger/test/builder"
)

const (
	watched   = "watched"
	unwatched = "unwatched"
	issuerURL = "http://127.0.0.1:1"
)

// TestWatchedNamespacesTakeNoRightElsewhere: with the Roles of watchNamespaces alone, what is in these namespaces works, what is in others is
// left alone, and no role may read a Secret there.
func TestWatchedNamespacesTakeNoRightElsewhere(t *testing.T) {
	admin := startControlPlane(t)
	objects := byHelm(t, "watchNamespaces={"+watched+"}", "gate.rbac=true")
	for _, name := range []string{config.Namespace, watched, unwatched} {
		objects["Namespace /"+name] = namespaceOf(name)
	}
	apply(t, admin, objects)
	api := newClient(t, admin)
	run(t, as(admin, "claviger-manager"), runManager)
	run(t, as(admin, "claviger-token-service"), runTokenService)

	account := builder.Account("acme", builder.Namespaces(watched, unwatched))
	within := builder.ClientCredential(watched, "orders", builder.ForAccount("acme"))
	without := builder.ClientCredential(unwatched, "orders", builder.ForAccount("acme"))
	for _, object := range []client.Object{account, without, within} {
		if err := api.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the credential of the watched namespace is Ready", func(ctx context.Context) bool {
		return api.Get(ctx, client.ObjectKeyFromObject(within), within) == nil && meta.IsStatusConditionTrue(within.Status.Conditions, v1alpha1.ConditionReady)
	})
	secret := &corev1.Secret{}
	if err := api.Get(t.Context(), client.ObjectKeyFromObject(within), secret); err != nil {
		t.Error(err)
	}
	if err := api.Get(t.Context(), client.ObjectKeyFromObject(without), without); err != nil || without.Status.ObservedGeneration != -1 {
		t.Errorf("the one of the other was looked at: %v", err)
	}
	if err := api.Get(t.Context(), client.ObjectKeyFromObject(without), secret); !apierrors.IsNotFound(err) {
		t.Errorf("it has a Secret: %v", err)
	}
	// Labels of any namespace may change: nobody comes to grief over one that is not watched.
	change := namespaceOf(unwatched)
	change.SetLabels(map[string]string{"team": "acme"})
	apply(t, admin, map[string]*unstructuredObject{"": change})

	for _, role := range []string{"claviger-manager", "claviger-token-service", "claviger-connect", "claviger-gate"} {
		for _, namespace := range []string{"", unwatched, "kube-system"} {
			for _, verb := range []string{"get", "list", "watch", "create", "update", "patch", "delete"} {
				if may(t, as(admin, role), verb, "secrets", namespace) {
					t.Errorf("%s may %s Secrets in namespace %q", role, verb, namespace)
				}
			}
		}
	}
	if !may(t, as(admin, "claviger-manager"), "create", "secrets", watched) {
		t.Error("the manager may create no Secret where it has to")
	}
}

func commonOptions() app.Common {
	return app.Common{
		Issuer: issuerURL, Namespace: config.Namespace, WatchNamespaces: []string{watched}, MetricsAddress: "0", LogLevel: "info", LogFormat: "json",
	}
}

func runManager(ctx context.Context, access *rest.Config) error {
	options := app.ManagerOptions{Common: commonOptions(), HealthAddress: "0", ReplicaName: "test"}
	if err := options.Complete(); err != nil {
		return err
	}
	return app.RunManager(ctx, access, options)
}

// runTokenService ends well only if it was ready.
func runTokenService(ctx context.Context, access *rest.Config) error {
	options := app.TokenServiceOptions{
		Common: commonOptions(), ListenAddress: "127.0.0.1:0", AccountHeader: app.DefaultAccountHeader, Stop: stop.Plan{Grace: time.Second},
	}
	if err := options.Complete(); err != nil {
		return err
	}
	public, err := net.Listen("tcp", options.ListenAddress)
	if err != nil {
		return err
	}
	operations, err := net.Listen("tcp", options.ListenAddress)
	if err != nil {
		return err
	}
	ready := make(chan error, 1)
	go func() {
		ready <- wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
			response, err := http.Get("http://" + operations.Addr().String() + "/readyz")
			return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK, nil
		})
	}()
	if err := app.RunTokenService(ctx, access, options, public, operations); err != nil {
		return err
	}
	return <-ready
}

// run runs a role until the test ends.
func run(t *testing.T, access *rest.Config, role func(context.Context, *rest.Config) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(logr.NewContext(context.Background(), logr.Discard()))
	done := make(chan error, 1)
	go func() { done <- role(ctx, access) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// as gives access as a ServiceAccount of the operator's namespace.
func as(admin *rest.Config, serviceAccount string) *rest.Config {
	access := rest.CopyConfig(admin)
	access.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + config.Namespace + ":" + serviceAccount,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + config.Namespace, "system:authenticated"},
	}
	return access
}

func may(t *testing.T, access *rest.Config, verb, resource, namespace string) bool {
	t.Helper()
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Resource: resource, Namespace: namespace},
	}}
	if err := newClient(t, access).Create(t.Context(), review); err != nil {
		t.Fatal(err)
	}
	return review.Status.Allowed
}

func eventually(t *testing.T, what string, is func(context.Context) bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) { return is(ctx), nil })
	if err != nil {
		t.Fatalf("not so: %s", what)
	}
}
