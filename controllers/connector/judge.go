// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/fault"
)

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
	if err := r.imported.Start(); err != nil {
		return fmt.Errorf("watching app registrations: %w", err)
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

// hasProperty reports whether a URL has a property in it, so that it is another one for each account.
func hasProperty(text v1alpha1.ConnectorURL) bool { return strings.ContainsAny(string(text), "{}") }
