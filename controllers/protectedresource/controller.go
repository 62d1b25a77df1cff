// SPDX-License-Identifier: Apache-2.0

// Package protectedresource reconciles ProtectedResources: it shows whether a place may be used, how many may call it, and what
// gateways and validators are configured with. The token service reads none of that; it judges by the same rules.
package protectedresource

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
)

// Reconciler reconciles ProtectedResources. All of its fields are required.
type Reconciler struct {
	client.Client
	Rules  credential.Rules
	Issuer oauth.IssuerURL
	Now    func() time.Time
}

// Reconcile writes the status of one ProtectedResource where it differs.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := &v1alpha1.ProtectedResource{}
	if err := r.Get(ctx, request.NamespacedName, object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	found, err := r.find(ctx, credential.ReadResource(object))
	if err != nil {
		return ctrl.Result{}, err
	}
	stored := object.DeepCopy()
	r.summarize(object, found)
	if equality.Semantic.DeepEqual(stored.Status, object.Status) {
		return ctrl.Result{}, nil
	}
	if err := r.Status().Patch(ctx, object, client.MergeFrom(stored)); client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("writing the status of ProtectedResource %s: %w", request, err)
	}
	return ctrl.Result{}, nil
}

// findings are what the status says.
type findings struct {
	resource *credential.Resource
	verdict  error
	callers  int32
}

func (r *Reconciler) find(ctx context.Context, resource *credential.Resource) (findings, error) {
	subject, err := kube.Lookup{Reader: r.Client}.Resource(ctx, resource)
	if err != nil {
		return findings{}, err
	}
	found := findings{resource: resource, verdict: r.Rules.JudgeResource(subject)}
	if found.verdict == nil {
		found.callers, err = r.countCallers(ctx, resource)
	}
	return found, err
}

// countCallers counts the credentials of the resource's account, or of the console, that may call it. Their own condition says
// whether the rules allow them: the verdict is not made twice.
func (r *Reconciler) countCallers(ctx context.Context, resource *credential.Resource) (int32, error) {
	var credentials v1alpha1.ClientCredentialList
	if err := r.List(ctx, &credentials, client.MatchingFields{clientsIndex: holder(resource.AccountID)}); err != nil {
		return 0, fmt.Errorf("listing the callers of ProtectedResource %s: %w", resource.Name, err)
	}
	var callers int32
	for i := range credentials.Items {
		if mayCall(&credentials.Items[i], resource) {
			callers++
		}
	}
	return callers, nil
}

func mayCall(object *v1alpha1.ClientCredential, resource *credential.Resource) bool {
	if !meta.IsStatusConditionTrue(object.Status.Conditions, v1alpha1.ConditionAllowed) {
		return false
	}
	caller := credential.ReadClient(object)
	return caller.MayHaveTokensFor(resource) && caller.Scopes.HasAll(resource.Scopes)
}
