// SPDX-License-Identifier: Apache-2.0

package clavigertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/claviger/claviger/api/v1alpha1"
)

// errTimeout is the cause of a wait that was in vain.
var errTimeout = errors.New("it took too long")

// bound gives a context that ends with the kit, and after the time that the kit waits for an object or a token.
func (k *Kit) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return k.boundBy(ctx, k.settings.timeout)
}

func (k *Kit) boundBy(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	ended := context.AfterFunc(k.life, func() { cancel(context.Cause(k.life)) })
	ctx, expire := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w: more than %s", errTimeout, timeout))
	return ctx, func() {
		ended()
		expire()
		cancel(nil)
	}
}

// WaitReady waits until each object is Ready as it is specified now, and the token service knows it, and leaves it as it is then. Where
// one does not become Ready, the test fails with its conditions. What a client secret is good for it finds out by taking a token, which
// it throws away. Objects that are not Claviger's, and RevokedTokens, are passed over:
// so it may be given all that Apply gives.
func (k *Kit) WaitReady(t testing.TB, objects ...client.Object) {
	t.Helper()
	if err := k.WaitReadyContext(k.life, objects...); err != nil {
		t.Fatal(err)
	}
}

// WaitReadyContext is WaitReady without a test.
func (k *Kit) WaitReadyContext(ctx context.Context, objects ...client.Object) error {
	for _, object := range objects {
		kind, err := k.kind(object)
		if err != nil {
			return err
		}
		if !becomesReady(kind) {
			continue
		}
		ready := func() bool { return readState(object).isReady(metav1.ConditionTrue, "") }
		if err := k.await(ctx, object, "Ready", ready); err != nil {
			return err
		}
		if err := k.awaitKnown(ctx, kind, object); err != nil {
			return err
		}
	}
	return nil
}

// WaitReason waits until the object's condition Ready, True or False, has a reason, such as v1alpha1.ReasonSuspended: for manifests of
// which you expect that they are refused. Where it does not get it, the test fails with its conditions.
func (k *Kit) WaitReason(t testing.TB, object client.Object, reason string) {
	t.Helper()
	has := func() bool { return readState(object).isReady("", reason) }
	if err := k.await(k.life, object, "Ready or not for reason "+reason, has); err != nil {
		t.Fatal(err)
	}
}

// WaitFor waits until an object is as it should be, and leaves it as it is then. Where it does not become so, the test fails with its
// conditions.
func WaitFor[T client.Object](t testing.TB, kit *Kit, object T, met func(T) bool) {
	t.Helper()
	if err := kit.await(kit.life, object, "as it should be", func() bool { return met(object) }); err != nil {
		t.Fatal(err)
	}
}

// await looks at an object until a condition is met.
func (k *Kit) await(ctx context.Context, object client.Object, what string, met func() bool) error {
	kind, err := k.kind(object)
	if err != nil {
		return err
	}
	name := describe(kind, object)
	ctx, cancel := k.bound(ctx)
	defer cancel()
	for {
		err := k.api.Get(ctx, client.ObjectKeyFromObject(object), object)
		if err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
			return fmt.Errorf("looking at %s: %w", name, err)
		}
		if err == nil && met() {
			return nil
		}
		select {
		case <-ctx.Done():
			if apierrors.IsNotFound(err) {
				return fmt.Errorf("%s is not %s: it does not exist (%w)", name, what, context.Cause(ctx))
			}
			return fmt.Errorf("%s is not %s (%w); %s", name, what, context.Cause(ctx), readState(object))
		case <-time.After(pause):
		}
	}
}

// state is what the kit wants to know of an object.
type state struct {
	Metadata struct {
		Generation int64 `json:"generation"`
	} `json:"metadata"`
	Status struct {
		ObservedGeneration int64              `json:"observedGeneration"`
		Conditions         []metav1.Condition `json:"conditions"`
	} `json:"status"`
}

// readState gives an empty state for an object that has none of this.
func readState(object client.Object) state {
	var read state
	if content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object); err == nil {
		_ = runtime.DefaultUnstructuredConverter.FromUnstructured(content, &read)
	}
	return read
}

// isReady reports whether Ready has a status and a reason, for the object as it is specified now. Any will do where it is empty.
func (s state) isReady(status metav1.ConditionStatus, reason string) bool {
	ready := meta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.ObservedGeneration == s.Metadata.Generation && s.Status.ObservedGeneration == s.Metadata.Generation &&
		(status == "" || ready.Status == status) && (reason == "" || ready.Reason == reason)
}

// String gives the conditions, one a line.
func (s state) String() string {
	if len(s.Status.Conditions) == 0 {
		return "it has no conditions"
	}
	var text strings.Builder
	text.WriteString("its conditions:")
	for _, condition := range s.Status.Conditions {
		fmt.Fprintf(&text, "\n\t%s=%s %s: %s", condition.Type, condition.Status, condition.Reason, condition.Message)
		if condition.ObservedGeneration != s.Metadata.Generation {
			fmt.Fprintf(&text, " (of generation %d; the object has %d)", condition.ObservedGeneration, s.Metadata.Generation)
		}
	}
	return text.String()
}

func (k *Kit) kind(object client.Object) (schema.GroupVersionKind, error) {
	kind, err := apiutil.GVKForObject(object, k.api.Scheme())
	if err != nil {
		return kind, fmt.Errorf("finding the kind of %s: %w", client.ObjectKeyFromObject(object), err)
	}
	return kind, nil
}

// becomesReady reports whether objects of a kind have the condition Ready.
func becomesReady(kind schema.GroupVersionKind) bool {
	return kind.Group == v1alpha1.GroupVersion.Group && kind.Kind != "RevokedToken"
}

func describe(kind schema.GroupVersionKind, object client.Object) string {
	if object.GetNamespace() == "" {
		return kind.Kind + " " + object.GetName()
	}
	return kind.Kind + " " + client.ObjectKeyFromObject(object).String()
}
