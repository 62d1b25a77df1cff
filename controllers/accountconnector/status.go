// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/fault"
)

// summarize writes the status that the scope stands for.
func (s *scope) summarize(now time.Time) {
	if !s.judged {
		return // nothing was learned: what the status says is still the best that is known
	}
	status := &s.object.Status
	status.ObservedGeneration = s.object.Generation
	status.ID = s.object.Namespace + "." + s.object.Name
	if s.known {
		record := s.standing.Record
		status.Scope = record.Scope
		status.AuthorizedAt, status.AuthorizedBy = timeOf(record.AuthorizedAt), record.AuthorizedBy
		status.ExpiresAt, status.RefreshedAt = timeOf(record.ExpiresAt), timeOf(record.IssuedAt)
		status.RefreshExpiresAt, status.NextRefreshAt = timeOf(s.ends().At), timeOf(s.standing.Until)
		if s.standing.Held { // it is overdue, and comes when the provider may be asked: no write for every look
			status.NextRefreshAt = s.stored.Status.NextRefreshAt
		}
	}
	if s.verdict != nil {
		status.NextRefreshAt = nil
	}
	parts := []metav1.Condition{s.authorized(), s.refreshHealthy(now), s.secretPublished()}
	for _, part := range parts {
		s.set(now, part)
	}
	ready := s.ready(now, parts)
	s.set(now, ready)
	s.setOrRemove(now, v1alpha1.ConditionReconciling, ready, fault.Waiting)
	s.setOrRemove(now, v1alpha1.ConditionStalled, ready, fault.Terminal)
}

// ends is when the grant ends unless a user signs in again, as far as anybody knows. It is known only with what is configured.
func (s *scope) ends() connector.End { return connector.Ends(s.standing.Record, s.setup.Behaviour) }

// expiring reports whether that is soon.
func (s *scope) expiring(now time.Time) bool {
	end := s.ends()
	return s.standing.Record.Connected() && !end.At.IsZero() && !now.Before(end.WarnAt)
}

func timeOf(at time.Time) *metav1.Time {
	if at.IsZero() {
		return nil
	}
	return &metav1.Time{Time: at.Truncate(time.Second)}
}

// obstacle is what keeps the connection from being used at all, or nil.
func (s *scope) obstacle() error {
	switch {
	case s.verdict != nil:
		return s.verdict
	case s.configErr != nil:
		return s.configErr
	default:
		return s.recordErr
	}
}

// authorized is the condition Authorized: whether there is a grant.
func (s *scope) authorized() metav1.Condition {
	const name = v1alpha1.ConditionAuthorized
	record := s.standing.Record
	switch found, isFault := fault.As(s.obstacle()); {
	case isFault:
		return condition(name, metav1.ConditionFalse, found.Reason, found.Message)
	case s.obstacle() != nil || !s.known:
		return condition(name, metav1.ConditionUnknown, v1alpha1.ReasonWriteFailed, failure(s.obstacle()))
	case s.pending != nil && (record.Reauthorize != nil || !record.Connected()):
		return condition(name, metav1.ConditionFalse, v1alpha1.ReasonConfirmationRequired,
			"A user has signed in; the host's backend has not confirmed it yet")
	case record.Reauthorize != nil:
		return condition(name, metav1.ConditionFalse, v1alpha1.ReasonReauthorizationRequired,
			"The provider says that the grant has ended ("+record.Reauthorize.Reason+"): a user must sign in again")
	case s.importErr != nil:
		found, _ := fault.As(s.importErr)
		return condition(name, metav1.ConditionFalse, found.Reason, found.Message)
	case !record.Connected() && record.RefreshToken.Reveal() == "":
		return s.unauthorized()
	default:
		return condition(name, metav1.ConditionTrue, v1alpha1.ReasonAuthorized, "There is a grant")
	}
}

// unauthorized says what is waited for where there are no tokens.
func (s *scope) unauthorized() metav1.Condition {
	const name = v1alpha1.ConditionAuthorized
	if s.connector.Spec.Grant == v1alpha1.GrantClientCredentials {
		return condition(name, metav1.ConditionFalse, v1alpha1.ReasonTokenNotIssued, "No token was obtained yet")
	}
	return condition(name, metav1.ConditionFalse, v1alpha1.ReasonSignInRequired, "Nobody has signed in yet, and no AuthValue was imported")
}

// refreshHealthy is the condition RefreshHealthy: whether the access token can be kept fresh.
func (s *scope) refreshHealthy(now time.Time) metav1.Condition {
	const name = v1alpha1.ConditionRefreshHealthy
	standing, record := s.standing, s.standing.Record
	switch {
	case !s.known || s.obstacle() != nil || record.Reauthorize != nil:
		return condition(name, metav1.ConditionUnknown, v1alpha1.ReasonNotAttempted, "There is no grant to be kept")
	case standing.ClientChanged:
		return condition(name, metav1.ConditionFalse, v1alpha1.ReasonClientChanged,
			"The grant is another client's than the one that is configured now: put that back, or have a user sign in again")
	case record.Misconfigured != nil:
		return condition(name, metav1.ConditionFalse, v1alpha1.ReasonMisconfigured,
			"The provider does not take the client or its requests ("+record.Misconfigured.Code+"): correct the app registration, the properties or the Connector")
	case standing.OutcomeUnknown:
		return condition(name, metav1.ConditionFalse, v1alpha1.ReasonRefreshOutcomeUnknown,
			"The refresh token was presented and no answer came; it is presented again when nothing is lost by that")
	case standing.Failure != nil:
		return condition(name, metav1.ConditionFalse, v1alpha1.ReasonRefreshFailing, "Trying again: "+standing.Failure.Why)
	case standing.Held && record.AtRisk(now):
		return condition(name, metav1.ConditionFalse, v1alpha1.ReasonRefreshFailing,
			"The provider is not asked for the moment: it has not answered others, or too many ask it at once")
	case record.Connected() && record.RefreshToken.Reveal() == "" && !s.repeatable() && !record.ExpiresAt.IsZero():
		return condition(name, metav1.ConditionFalse, v1alpha1.ReasonNoRefreshToken,
			"The provider gave no refresh token: a user must sign in again when the access token expires")
	case !record.Connected():
		return condition(name, metav1.ConditionUnknown, v1alpha1.ReasonNotAttempted, "There is no grant to be kept")
	case s.expiring(now):
		return condition(name, metav1.ConditionFalse, v1alpha1.ReasonGrantExpiring,
			"The grant ends at "+s.ends().At.UTC().Format(time.RFC3339)+", whatever is done: a user should sign in again before")
	default:
		return condition(name, metav1.ConditionTrue, v1alpha1.ReasonRefreshed, live(record, now))
	}
}

func (s *scope) repeatable() bool { return s.connector.Spec.Grant == v1alpha1.GrantClientCredentials }

func live(record connector.Record, now time.Time) string {
	if record.Live(now) {
		return "The access token is live"
	}
	return "The access token is about to be refreshed"
}

// secretPublished is the condition SecretPublished.
func (s *scope) secretPublished() metav1.Condition {
	const name = v1alpha1.ConditionSecretPublished
	switch found, isFault := fault.As(s.publishErr); {
	case isFault:
		return condition(name, metav1.ConditionFalse, found.Reason, found.Message)
	case s.publishErr != nil:
		return condition(name, metav1.ConditionFalse, v1alpha1.ReasonWriteFailed, failure(s.publishErr))
	case s.published:
		return condition(name, metav1.ConditionTrue, v1alpha1.ReasonPublished, "Secret "+s.secretKey().Name+" holds the access token")
	case s.withdrawn:
		return condition(name, metav1.ConditionUnknown, v1alpha1.ReasonNotAttempted, "The access token was taken out of Secret "+s.secretKey().Name)
	default:
		return condition(name, metav1.ConditionUnknown, v1alpha1.ReasonNotAttempted, "There is no access token to publish")
	}
}

// ready is the condition Ready: whether the Secret holds a token that is good now. A refresh that fails does not make it less good.
func (s *scope) ready(now time.Time, parts []metav1.Condition) metav1.Condition {
	const name = v1alpha1.ConditionReady
	if s.obstacle() == nil && s.published && s.standing.Record.Live(now) {
		return condition(name, metav1.ConditionTrue, v1alpha1.ReasonConnected, "Secret "+s.secretKey().Name+" holds a live access token")
	}
	for _, part := range parts {
		if part.Status != metav1.ConditionTrue && part.Reason != v1alpha1.ReasonNotAttempted {
			return condition(name, metav1.ConditionFalse, part.Reason, part.Message)
		}
	}
	return condition(name, metav1.ConditionFalse, v1alpha1.ReasonRefreshFailing, "The access token has expired, and is about to be refreshed")
}

// setOrRemove sets an abnormal-true condition while the object is not Ready for a reason of that kind.
func (s *scope) setOrRemove(now time.Time, name string, ready metav1.Condition, kind fault.Kind) {
	if ready.Status == metav1.ConditionTrue || kindOf(ready.Reason) != kind {
		meta.RemoveStatusCondition(&s.object.Status.Conditions, name)
		return
	}
	s.set(now, condition(name, metav1.ConditionTrue, ready.Reason, ready.Message))
}

// kindOf says who can put right what a reason stands for.
func kindOf(reason string) fault.Kind {
	switch reason {
	case v1alpha1.ReasonReauthorizationRequired, v1alpha1.ReasonSignInRequired, v1alpha1.ReasonMisconfigured, v1alpha1.ReasonClientChanged,
		v1alpha1.ReasonNoRefreshToken, v1alpha1.ReasonGrantExpiring, v1alpha1.ReasonInvalidAuthValue, v1alpha1.ReasonInvalidConnector, v1alpha1.ReasonInvalidProperty,
		v1alpha1.ReasonSuspended, v1alpha1.ReasonNamespaceNotAllowed, v1alpha1.ReasonAccountSuspended, v1alpha1.ReasonSecretConflict,
		v1alpha1.ReasonInvalidTemplate, v1alpha1.ReasonScopeNotAllowed, v1alpha1.ReasonRecordDamaged:
		return fault.Terminal
	default:
		return fault.Waiting
	}
}

// NeedsHuman reports whether what a reason stands for stays until a human changes something.
func NeedsHuman(reason string) bool { return kindOf(reason) == fault.Terminal }

// failure says what the API server said in its own short reason: the full text of an error may quote an object.
func failure(err error) string {
	if reason := apierrors.ReasonForError(err); reason != metav1.StatusReasonUnknown {
		return fmt.Sprintf("The API server answered %s; trying again", reason)
	}
	return "The API server could not be reached or did not answer; trying again"
}

func (s *scope) set(now time.Time, c metav1.Condition) {
	c.ObservedGeneration = s.object.Generation
	c.LastTransitionTime = metav1.NewTime(now.Truncate(time.Second))
	meta.SetStatusCondition(&s.object.Status.Conditions, c)
}

func condition(name string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: name, Status: status, Reason: reason, Message: message}
}
