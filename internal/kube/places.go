// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/setup"
	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
)

// Places finds connections in a cache of Claviger's own objects. It is the signin.Places of every replica.
type Places struct {
	// Objects is the cache.
	Objects       client.Reader
	Grants        Grants
	Registrations Registrations
}

// Find implements signin.Places. An AccountConnectorID is "<namespace>.<name>", and no namespace has a dot.
func (p Places) Find(ctx context.Context, id string) (signin.Place, error) {
	namespace, name, _ := strings.Cut(id, ".")
	connection := &v1alpha1.AccountConnector{}
	err := p.Objects.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, connection)
	if apierrors.IsNotFound(err) || namespace == "" || name == "" {
		return signin.Place{}, signin.ErrNoConnection
	}
	if err != nil {
		return signin.Place{}, fmt.Errorf("reading an AccountConnector: %w", err)
	}
	place := signin.Place{Connection: connection}
	if place.Account, err = p.Account(ctx, connection.Spec.AccountRef.Name); err != nil {
		return signin.Place{}, err
	}
	if err := p.judge(ctx, &place); err != nil {
		return signin.Place{}, err
	}
	library := &v1alpha1.Connector{}
	switch err := p.Objects.Get(ctx, client.ObjectKey{Name: connection.Spec.ConnectorRef.Name}, library); {
	case err == nil:
		place.Connector = library
	case !apierrors.IsNotFound(err):
		return signin.Place{}, fmt.Errorf("reading Connector %s: %w", connection.Spec.ConnectorRef.Name, err)
	}
	return place, nil
}

// judge asks the same rules as the manager.
func (p Places) judge(ctx context.Context, place *signin.Place) error {
	namespace, err := Lookup{Reader: p.Objects}.Namespace(ctx, place.Connection.Namespace)
	if apierrors.IsNotFound(err) {
		return signin.ErrNoConnection
	}
	if err != nil {
		return err
	}
	var account *credential.Account
	if place.Account != nil {
		// A selector that does not parse selects nothing; the Account's own condition says so.
		account, _ = credential.ReadAccount(place.Account)
		place.Foreign = !account.Holds(namespace)
	}
	place.Verdict = credential.JudgeConnection(place.Connection, account, namespace)
	if place.Connection.DeletionTimestamp != nil {
		place.Verdict = fault.Waitingf(v1alpha1.ReasonDeleting, "the connection is being deleted")
	}
	return nil
}

// Account implements signin.Places.
func (p Places) Account(ctx context.Context, id string) (*v1alpha1.Account, error) {
	account := &v1alpha1.Account{}
	err := p.Objects.Get(ctx, client.ObjectKey{Name: id}, account)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // an account that is not there is nil everywhere
	}
	if err != nil {
		return nil, fmt.Errorf("reading Account: %w", err)
	}
	return account, nil
}

// Setup implements signin.Places.
func (p Places) Setup(ctx context.Context, place signin.Place) (setup.Setup, connector.Kept, error) {
	if place.Connector == nil {
		return setup.Setup{}, connector.Kept{}, fault.Waitingf(v1alpha1.ReasonConnectorNotFound, "Connector %s does not exist", place.Connection.Spec.ConnectorRef.Name)
	}
	kept, err := p.Grants.Load(ctx, string(place.Connection.UID))
	if err != nil {
		return setup.Setup{}, connector.Kept{}, err
	}
	made, err := setup.Resolve(place.Connector, place.Connection.Spec.Scopes, kept.Properties, func() (setup.Registration, error) {
		return p.Registrations.Read(ctx, place.Connector)
	})
	return made, kept, err
}

// FollowConnections has a cache follow what Places reads besides what a Directory does. The function reports whether all that existed has
// been taken in.
func FollowConnections(ctx context.Context, informers cache.Informers) (func() bool, error) {
	var followed []cache.Informer
	for _, object := range []client.Object{&v1alpha1.AccountConnector{}, &v1alpha1.Connector{}} {
		informer, err := informers.GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("watching %T: %w", object, err)
		}
		followed = append(followed, informer)
	}
	return func() bool {
		for _, informer := range followed {
			if !informer.HasSynced() {
				return false
			}
		}
		return true
	}, nil
}
