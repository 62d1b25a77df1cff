// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/pki"
)

// keep brings the two Secrets to what the plan says. The authority is written first: whoever dies in between leaves a
// certificate that is good, by an authority that is trusted.
func (r *Reconciler) keep(ctx context.Context, authority, serving found, stored *pki.Serving) error {
	r.watchBundle(stored)
	observed := pki.Observed{Serving: stored, Names: r.Names, Known: r.Now().Sub(r.since), Now: r.Now()}
	if authority.Secret != nil {
		decoded, err := pki.DecodeAuthorities(authority.Data)
		if err != nil {
			r.follow(stored)
			return r.damaged(authority, err)
		}
		observed.Authorities, observed.Foreign = &decoded, !pki.MadeHere(decoded.Current.Certificate())
	}
	plan, err := pki.MakePlan(r.Random, observed)
	if errors.Is(err, pki.ErrForeign) {
		r.follow(stored)
		return r.damaged(authority, err)
	}
	if err != nil {
		return err
	}
	if observed.Foreign {
		r.leave(authority)
	} else if err := r.publish(ctx, authority, plan.Authorities); err != nil {
		return err
	}
	if err := r.publish(ctx, serving, plan.Serving); err != nil {
		return err
	}
	r.watchBundle(plan.Serving)
	r.follow(plan.Serving)
	r.Metrics.expires(authority.key.Name, plan.Authorities.Current.Certificate())
	r.Metrics.issued(plan)
	r.tell(authority, serving, plan)
	return nil
}

// watchBundle notes since when this process has seen the bundle as it is: a process that was away may have told nobody.
func (r *Reconciler) watchBundle(serving *pki.Serving) {
	bundle := ""
	if serving != nil {
		bundle = serving.Bundle()
	}
	if bundle != r.seen || r.since.IsZero() {
		r.seen, r.since = bundle, r.Now()
	}
}

type encoder interface {
	Encode() (map[string][]byte, error)
}

func (r *Reconciler) publish(ctx context.Context, secret found, content encoder) error {
	data, err := content.Encode()
	if err != nil {
		return err
	}
	desired := kube.Desired{Key: secret.key, Type: corev1.SecretTypeTLS, Purpose: secret.purpose, Data: data}
	if _, err := r.Secrets.Publish(ctx, nil, secret.Secret, desired); err != nil {
		return err
	}
	r.Metrics.sound(secret.key.Name)
	delete(r.left, secret.key.Name)
	return nil
}

// until gives a time in the form in which events tell it.
func until(at time.Time) string { return at.UTC().Format(time.RFC3339) }
