// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
)

// findResources finds those of spec.resources. What is wrong with one of them stops nothing: the others are good all the same.
func (r *Reconciler) findResources(ctx context.Context, s *scope) error {
	found := map[string]credential.ResourceSubject{}
	for i, url := range s.client.Resources {
		subject, exists, err := kube.Lookup{Reader: r.Client}.ResourceAt(ctx, url)
		if err != nil {
			return err
		}
		if exists {
			found[url] = subject
		}
		if s.resourcesErr == nil {
			s.resourcesErr = r.judgeResource(s, s.object.Spec.Resources[i], subject)
		}
	}
	s.resources = func(url string) (credential.ResourceSubject, bool) {
		subject, exists := found[url]
		return subject, exists
	}
	return nil
}

// judgeResource says why a token cannot be for a resource, which is empty where there is none. Of another account's no more is said
// than of one that there is not.
func (r *Reconciler) judgeResource(s *scope, url v1alpha1.ResourceURL, subject credential.ResourceSubject) error {
	if subject.Resource == nil || !s.client.MayHaveTokensFor(subject.Resource) {
		return fault.Waitingf(v1alpha1.ReasonResourceNotFound, "no ProtectedResource of %s has the URL %s", s.level(), url)
	}
	if found, is := fault.As(r.Minter.Rules.JudgeResource(subject)); is {
		return fault.Waitingf(v1alpha1.ReasonResourceNotAllowed, "the ProtectedResource of %s may not be used: %s", url, found.Reason)
	}
	return nil
}

// level says whose resources the credential's tokens may be for.
func (s *scope) level() string {
	if s.client.ConsoleLevel() {
		return "type API"
	}
	return "Account " + s.client.AccountID
}

// tokenAudience is aud of the live token.
func (r *Reconciler) tokenAudience(s *scope) ([]string, error) {
	audience, err := r.Minter.Audience(s.client, s.resources)
	if err != nil {
		return nil, fault.Waitingf(v1alpha1.ReasonTokenNotIssued, "none of spec.resources can be used, so there is nothing to issue a token for")
	}
	return audience, nil
}

// resourcesFound is the condition ResourcesFound, which is there only where the spec names resources.
func (s *scope) resourcesFound() (metav1.Condition, bool) {
	const name = v1alpha1.ConditionResourcesFound
	if found, is := fault.As(s.resourcesErr); is {
		return condition(name, metav1.ConditionFalse, found.Reason, found.Message), true
	}
	return condition(name, metav1.ConditionTrue, v1alpha1.ReasonFound, "There is a ProtectedResource for every URL of spec.resources"),
		len(s.client.Resources) > 0
}
