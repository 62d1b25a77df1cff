// SPDX-License-Identifier: Apache-2.0

// Package connector reconciles Connectors: it shows whether accounts can be connected through one.
package connector

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/fault"
)

// lookAgain is how often the Secret of an app registration is looked at again that is not there: it has no label of ours, so that no
// watch tells when it comes.
const lookAgain = time.Minute

// Reconciler reconciles Connectors. All of its fields are required.
type Reconciler struct {
	client.Client
	// Live reads from the API server.
	Live client.Reader
	// Namespace is the connections namespace.
	Namespace string
	// AllowHTTP lets URLs be http.
	AllowHTTP bool
	Now       func() time.Time
}

// SetupWithManager registers the controller: it runs for a Connector when its spec changes.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(manager).For(&v1alpha1.Connector{}).Complete(r)
	if err != nil {
		return fmt.Errorf("building the controller: %w", err)
	}
	return nil
}

// Reconcile writes the status of one Connector where it differs.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := &v1alpha1.Connector{}
	if err := r.Get(ctx, request.NamespacedName, object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	verdict := Judge(object, r.AllowHTTP)
	if verdict == nil {
		verdict = r.registered(ctx, object)
	}
	found, isFault := fault.As(verdict)
	if verdict != nil && !isFault {
		return ctrl.Result{}, verdict
	}
	stored := object.DeepCopy()
	r.summarize(object, found)
	if !equality.Semantic.DeepEqual(stored.Status, object.Status) {
		if err := r.Status().Patch(ctx, object, client.MergeFrom(stored)); client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("writing the status of Connector %s: %w", object.Name, err)
		}
	}
	if isFault && found.Kind == fault.Waiting {
		return ctrl.Result{RequeueAfter: lookAgain}, nil
	}
	return ctrl.Result{}, nil
}

// Judge says whether a Connector can be used as it is written, whatever its app registration. Its error is a terminal fault.
func Judge(object *v1alpha1.Connector, allowHTTP bool) error {
	examples := map[string]string{}
	for _, property := range object.Spec.Properties {
		examples[string(property.Name)] = "example"
		if _, err := regexp.Compile(property.Pattern); err != nil {
			return fault.Terminalf(v1alpha1.ReasonInvalidConnector, "the pattern of property %s is no regular expression", property.Name)
		}
	}
	for _, endpoint := range []struct {
		field string
		url   v1alpha1.ConnectorURL
	}{
		{"issuer", object.Spec.Issuer},
		{"authorizationURL", object.Spec.AuthorizationURL},
		{"tokenURL", object.Spec.TokenURL},
		{"revocationURL", object.Spec.RevocationURL},
	} {
		if endpoint.url == "" {
			continue
		}
		expanded, err := connector.Expand(string(endpoint.url), examples)
		if err != nil {
			return fault.Terminalf(v1alpha1.ReasonInvalidConnector, "spec.%s: it is no URL, or names a property that spec.properties does not have", endpoint.field)
		}
		if parsed, err := url.Parse(expanded); err != nil || parsed.Scheme != "https" && !allowHTTP {
			return fault.Terminalf(v1alpha1.ReasonInvalidConnector, "spec.%s must be https", endpoint.field)
		}
	}
	return nil
}

// registered looks for the app registration.
func (r *Reconciler) registered(ctx context.Context, object *v1alpha1.Connector) error {
	ref := object.Spec.ClientSecretRef
	if ref == nil {
		return nil
	}
	secret := &corev1.Secret{}
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: r.Namespace, Name: ref.Name}, secret)
	if apierrors.IsNotFound(err) {
		return fault.Waitingf(v1alpha1.ReasonInvalidConnector, "Secret %s of spec.clientSecretRef does not exist in namespace %s", ref.Name, r.Namespace)
	}
	if err != nil {
		return fmt.Errorf("reading Secret %s/%s: %w", r.Namespace, ref.Name, err)
	}
	needs := []string{v1alpha1.SecretKeyClientID, v1alpha1.SecretKeyClientSecret}
	if object.Spec.AuthStyle == v1alpha1.AuthStylePrivateKeyJWT {
		needs[1] = "private_key"
	}
	var missing []string
	for _, key := range needs {
		if len(secret.Data[key]) == 0 {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		return fault.Waitingf(v1alpha1.ReasonInvalidConnector, "Secret %s of spec.clientSecretRef has no %s", ref.Name, strings.Join(missing, " and no "))
	}
	return nil
}

// summarize writes the status that a verdict stands for; it is nil where there is nothing in the way.
func (r *Reconciler) summarize(object *v1alpha1.Connector, verdict *fault.Fault) {
	object.Status.ObservedGeneration = object.Generation
	set := func(name string, status metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(&object.Status.Conditions, metav1.Condition{
			Type: name, Status: status, Reason: reason, Message: message, ObservedGeneration: object.Generation,
			LastTransitionTime: metav1.NewTime(r.Now().Truncate(time.Second)),
		})
	}
	meta.RemoveStatusCondition(&object.Status.Conditions, v1alpha1.ConditionReconciling)
	meta.RemoveStatusCondition(&object.Status.Conditions, v1alpha1.ConditionStalled)
	if verdict == nil {
		set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonAvailable, "Accounts can be connected to "+object.Spec.DisplayName)
		return
	}
	set(v1alpha1.ConditionReady, metav1.ConditionFalse, verdict.Reason, verdict.Message)
	abnormal := v1alpha1.ConditionStalled
	if verdict.Kind == fault.Waiting {
		abnormal = v1alpha1.ConditionReconciling
	}
	set(abnormal, metav1.ConditionTrue, verdict.Reason, verdict.Message)
}
