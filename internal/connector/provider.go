// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
)

// defaultReuseGrace is how long a refresh token works after it was used where a Connector says Grace and no more.
const defaultReuseGrace = 30 * time.Second

// Behaviour is how a provider's tokens behave. Durations that are zero are not known.
type Behaviour struct {
	// Rotation is what becomes of a refresh token that was used.
	Rotation v1alpha1.RefreshRotation
	// ReuseGrace is how long it works after that, with RotationGrace.
	ReuseGrace time.Duration
	// AssumedLifetime is that of an access token whose lifetime the provider does not say.
	AssumedLifetime time.Duration
	// RefreshBeforeExpiry is how long before the end of an access token it is refreshed at the latest.
	RefreshBeforeExpiry time.Duration
	// IdleExpiry is after how long without use a refresh token is dead.
	IdleExpiry time.Duration
	// AbsoluteExpiry is how long after a user signed in the grant ends.
	AbsoluteExpiry time.Duration
	// Repeatable says that a token request may be made as often as one likes: nothing is spent by it. So it is with the client
	// credentials grant, which presents no refresh token.
	Repeatable bool
}

// ReadBehaviour reads it from a Connector.
func ReadBehaviour(spec v1alpha1.ConnectorSpec) Behaviour {
	refresh := spec.Refresh
	behaviour := Behaviour{
		Rotation:            refresh.Rotation,
		ReuseGrace:          durationOf(refresh.ReuseGrace),
		AssumedLifetime:     durationOf(refresh.AssumedLifetime),
		RefreshBeforeExpiry: durationOf(refresh.RefreshBeforeExpiry),
		IdleExpiry:          durationOf(refresh.IdleExpiry),
		AbsoluteExpiry:      durationOf(refresh.AbsoluteExpiry),
		Repeatable:          spec.Grant == v1alpha1.GrantClientCredentials,
	}
	if behaviour.Rotation == "" {
		behaviour.Rotation = v1alpha1.RotationUnknown
	}
	if behaviour.ReuseGrace == 0 {
		behaviour.ReuseGrace = defaultReuseGrace
	}
	return behaviour
}

func durationOf(d *metav1.Duration) time.Duration {
	if d == nil {
		return 0
	}
	return d.Duration
}
