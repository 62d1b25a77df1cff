// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/politeness"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/fault"
)

// open reads the record of the grant, and makes one where there is none. It keeps the properties beside it, for the connect role, which
// may not read where they come from.
func (r *Reconciler) open(ctx context.Context, s *scope) error {
	kept, err := r.load(ctx, s)
	if errors.Is(err, connector.ErrDamaged) {
		err = fault.Terminalf(v1alpha1.ReasonRecordDamaged,
			"Secret %s, which the grant is kept in, is damaged and left alone: restore it, or delete it and have a user sign in again", r.Grants.Key(s.grantName()))
	}
	if err != nil {
		s.recordErr = err
		return err
	}
	change := connector.Change{DropPending: kept.Pending != nil && kept.Pending.Expired(r.Now())}
	if !maps.Equal(kept.Properties, s.properties) {
		change.Properties = s.properties
	}
	if !change.Empty() {
		if _, err := r.Grants.Save(ctx, s.grantName(), change, kept.Version); err != nil {
			return fmt.Errorf("writing the Secret of a grant: %w", err)
		}
	}
	if change.DropPending { // nobody will ever have these tokens
		r.revoke(ctx, s, kept.Pending.Tokens)
		kept.Pending = nil
	}
	if s.pending = kept.Pending; s.pending != nil {
		s.wakeAt(s.pending.At.Add(connector.ConfirmWithin))
	}
	s.standing.Record, s.known = kept.Record, true
	return nil
}

// load reads what is kept of the grant, and begins where nothing is.
func (r *Reconciler) load(ctx context.Context, s *scope) (connector.Kept, error) {
	kept, err := r.Grants.Load(ctx, s.grantName())
	if !errors.Is(err, connector.ErrGone) {
		return kept, err
	}
	if err := r.Grants.Create(ctx, s.grantName(), client.ObjectKeyFromObject(s.object).String(), s.connector.Name); err != nil {
		return kept, err
	}
	return r.Grants.Load(ctx, s.grantName())
}

// imports takes tokens that somebody else has obtained, once for each content. What is wrong with them leaves what there was before.
func (r *Reconciler) imports(ctx context.Context, s *scope) error {
	if s.object.Spec.AuthValueFrom == nil {
		return nil
	}
	text, err := r.secretValue(ctx, s, s.object.Spec.AuthValueFrom.SecretKeyRef)
	if _, isFault := fault.As(err); isFault {
		s.importErr = err
		return nil
	}
	if err != nil {
		return err
	}
	value, err := connector.ParseAuthValue(text)
	if err != nil {
		s.importErr = fault.Terminalf(v1alpha1.ReasonInvalidAuthValue, "%w", err)
		return nil
	}
	if value.Empty() || value.Fingerprint == s.standing.Record.Imported {
		return nil
	}
	record, version, err := r.Grants.Read(ctx, s.grantName())
	if err != nil {
		return err
	}
	record = record.Import(value, s.setup.Behaviour, s.setup.Request.Client.ID, r.Now())
	record.Imported = value.Fingerprint
	if _, err := r.Grants.Save(ctx, s.grantName(), connector.Change{Record: &record, DropPending: true}, version); err != nil {
		return fmt.Errorf("importing an AuthValue: %w", err)
	}
	s.standing.Record, s.pending = record, nil
	return nil
}

// keep does what is to be done about the grant.
func (r *Reconciler) keep(ctx context.Context, s *scope) error {
	standing, err := r.Keeper.Keep(ctx, connector.Grant{
		Name: s.grantName(), Behaviour: s.setup.Behaviour,
		Client: s.setup.Request.Client.ID, Configuration: s.setup.Configuration,
		Enter:   func() (func(*connector.Answer), time.Duration) { return r.enter(s.setup.Request.TokenURL) },
		Refresh: func(ctx context.Context, record connector.Record) connector.Answer { return r.refresh(ctx, s, record) },
		Revoke:  func(ctx context.Context, tokens connector.Tokens) { r.revoke(ctx, s, tokens) },
	})
	if err != nil {
		return fmt.Errorf("keeping the grant of AccountConnector %s: %w", client.ObjectKeyFromObject(s.object), err)
	}
	s.standing = standing
	s.wakeAt(standing.Until)
	s.wakeAt(standing.Record.ExpiresAt)
	if end := s.ends(); r.Now().Before(end.WarnAt) {
		s.wakeAt(end.WarnAt)
	}
	return nil
}

// enter asks whether the host of a token endpoint may be asked now.
func (r *Reconciler) enter(tokenURL string) (func(*connector.Answer), time.Duration) {
	parsed, err := url.Parse(tokenURL)
	if err != nil {
		return func(*connector.Answer) {}, 0 // it will not be sent
	}
	leave, wait := r.Hosts.Enter(politeness.NameOf(parsed))
	return func(answer *connector.Answer) {
		leave(outcomeOf(answer))
		r.Metrics.resting.Set(float64(r.Hosts.Resting()))
	}, wait
}

// outcomeOf says what an answer tells of the host. One that was not sent although the host is there tells nothing.
func outcomeOf(answer *connector.Answer) politeness.Outcome {
	switch {
	case answer != nil && answer.Away:
		return politeness.Failed
	case answer == nil || answer.Outcome == connector.NotSent:
		return politeness.Unasked
	default:
		return politeness.Answered
	}
}

// refresh makes one token request.
func (r *Reconciler) refresh(ctx context.Context, s *scope, record connector.Record) connector.Answer {
	request := s.setup.Request
	request.Grant = tokenendpoint.RefreshToken{Token: record.RefreshToken}
	if s.connector.Spec.Grant == v1alpha1.GrantClientCredentials {
		request.Grant = tokenendpoint.ClientCredentials{}
	}
	began := r.Now()
	answer := r.Endpoint.Do(ctx, request)
	r.Metrics.duration.WithLabelValues(s.connector.Name).Observe(r.Now().Sub(began).Seconds())
	r.Metrics.refreshes.WithLabelValues(s.connector.Name, outcomeLabel(answer.Outcome)).Inc()
	return answer
}
