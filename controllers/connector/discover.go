// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/discovery"
	"github.com/claviger/claviger/internal/fault"
)

// discoverWithin bounds how long an issuer may hold up what there is to say of its Connector.
const discoverWithin = 10 * time.Second

// question is when an issuer is asked next. It is lost with the process, so that a new one asks at once.
type question struct {
	issuer   v1alpha1.ConnectorURL
	failures int
	next     time.Time
	// mistake is why the last answer was none, or nil.
	mistake error
}

// questions are those to the issuers of Connectors, by the names of these.
type questions struct{ all sync.Map }

func (q *questions) of(object *v1alpha1.Connector) question {
	if found, there := q.all.Load(object.Name); there && found.(question).issuer == object.Spec.Issuer {
		return found.(question)
	}
	return question{issuer: object.Spec.Issuer}
}

func (q *questions) note(name string, asked question) { q.all.Store(name, asked) }

func (q *questions) forget(name string) { q.all.Delete(name) }

// discover keeps in the status what the issuer publishes, where the spec leaves out an endpoint. What is known stays when the issuer
// does not answer, or not well. Its error is a fault where something is missing that the Connector cannot do without. It gives when to
// ask again, or zero.
func (r *Reconciler) discover(ctx context.Context, object *v1alpha1.Connector) (time.Time, error) {
	if !asks(object.Spec) {
		object.Status.Discovered = nil
		r.questions.forget(object.Name)
		return time.Time{}, nil
	}
	if known := object.Status.Discovered; known != nil && known.Issuer != object.Spec.Issuer {
		object.Status.Discovered = nil
	}
	asked := r.questions.of(object)
	// An answer that the status has lost, with the object or by hand, is asked for again.
	lost := object.Status.Discovered == nil && asked.mistake == nil
	if lost || !r.Now().Before(asked.next) {
		r.ask(ctx, object, &asked)
		r.questions.note(object.Name, asked)
	}
	if lacking := lacks(object); lacking != "" {
		if asked.mistake != nil {
			return asked.next, fault.Waitingf(v1alpha1.ReasonDiscoveryFailed, "spec.issuer publishes nothing that can be used: %w", asked.mistake)
		}
		return asked.next, fault.Waitingf(v1alpha1.ReasonDiscoveryFailed, "spec.issuer publishes no %s", lacking)
	}
	return asked.next, nil
}

// ask asks the issuer once. The status changes only where what it publishes has.
func (r *Reconciler) ask(ctx context.Context, object *v1alpha1.Connector, asked *question) {
	bounded, cancel := context.WithTimeout(ctx, discoverWithin)
	defer cancel()
	found, err := r.Discovery.Discover(bounded, string(object.Spec.Issuer))
	asked.mistake = err
	if err != nil {
		asked.failures++
		ctrl.LoggerFrom(ctx).Info("The issuer publishes nothing that can be used", "why", err.Error(), "failures", asked.failures)
	} else {
		asked.failures = 0
		object.Status.Discovered = discovered(object, found, r.Now())
	}
	asked.next = r.Now().Add(discovery.After(asked.failures, connector.Spread(object.Name)))
}

// discovered gives what the status has of endpoints: what it had, where that is the same.
func discovered(object *v1alpha1.Connector, found discovery.Endpoints, now time.Time) *v1alpha1.DiscoveredEndpoints {
	made := &v1alpha1.DiscoveredEndpoints{
		Issuer: object.Spec.Issuer, IssInAnswers: found.IssInAnswers,
		AuthorizationURL: v1alpha1.ConnectorURL(found.Authorization), TokenURL: v1alpha1.ConnectorURL(found.Token),
		RevocationURL: v1alpha1.ConnectorURL(found.Revocation),
	}
	if sameEndpoints(object.Status.Discovered, made) {
		return object.Status.Discovered
	}
	made.At = metav1.NewTime(now.Truncate(time.Second))
	return made
}

// sameEndpoints reports whether two of them are the same, whenever they were read.
func sameEndpoints(one, other *v1alpha1.DiscoveredEndpoints) bool {
	if one == nil || other == nil {
		return one == other
	}
	first, second := *one, *other
	first.At, second.At = metav1.Time{}, metav1.Time{}
	return first == second
}

// asks reports whether there is an issuer to ask, and anything to ask it for.
func asks(spec v1alpha1.ConnectorSpec) bool {
	if spec.Issuer == "" {
		return false
	}
	known := spec.TokenURL != "" && spec.RevocationURL != "" && (spec.AuthorizationURL != "" || spec.Grant != v1alpha1.GrantAuthorizationCode)
	return !known && !hasProperty(spec.Issuer)
}

// lacks names the endpoint that the Connector needs and does not have, or is empty.
func lacks(object *v1alpha1.Connector) string {
	found := v1alpha1.DiscoveredEndpoints{}
	if object.Status.Discovered != nil {
		found = *object.Status.Discovered
	}
	switch {
	case object.Spec.TokenURL == "" && found.TokenURL == "":
		return "token_endpoint"
	case object.Spec.Grant == v1alpha1.GrantAuthorizationCode && object.Spec.AuthorizationURL == "" && found.AuthorizationURL == "":
		return "authorization_endpoint"
	default:
		return ""
	}
}
