// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/claviger/claviger/api/v1alpha1"
)

// Trust is what workloads shall verify the issuer with: PEM certificates, or nothing where the world's own do. One controller
// says what it is, and all others ask. Once it is known it stays until something else is: a Secret that is deleted or damaged
// takes away no workload's trust.
type Trust struct {
	state   atomic.Pointer[trusted]
	changes chan event.GenericEvent
}

type trusted struct {
	bundle string
	err    error
}

// NewTrust makes one that is not known yet.
func NewTrust() *Trust {
	t := &Trust{changes: make(chan event.GenericEvent, 1)}
	t.state.Store(&trusted{err: ErrStale})
	return t
}

// Bundle gives the PEM certificates. Until they are known it fails: with ErrStale at first, for that is a matter of moments, or
// else with what is in the way.
func (t *Trust) Bundle() (string, error) {
	state := t.state.Load()
	return state.bundle, state.err
}

// Set says what the certificates are, and tells where they are others than before.
func (t *Trust) Set(bundle string) {
	if before := t.state.Swap(&trusted{bundle: bundle}); before.err != nil || before.bundle != bundle {
		t.tell()
	}
}

// Fail says what is in the way of knowing, where nothing is known.
func (t *Trust) Fail(err error) {
	before := t.state.Load()
	if before.err != nil && t.state.CompareAndSwap(before, &trusted{err: err}) && before.err.Error() != err.Error() {
		t.tell()
	}
}

// Changes has an event after every change, or after several. It is for one reader, and what the events are about says nothing.
func (t *Trust) Changes() <-chan event.GenericEvent { return t.changes }

func (t *Trust) tell() {
	secret := &corev1.Secret{}
	secret.Name = v1alpha1.ServingSecretName
	select {
	case t.changes <- event.GenericEvent{Object: secret}:
	default: // one is waiting already, and comes after this change
	}
}
