// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/signin"
)

// SignIns keeps sign-in tokens and sign-ins under way, each in a Secret of its own in the connections namespace: it is the signin.Store
// of every replica. The API server decides who is first. What nobody finishes is deleted by the manager when it has expired.
type SignIns struct {
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Namespace is the connections namespace.
	Namespace string
}

var errDamagedSignIn = errors.New("what the Secret of a sign-in holds is none")

func linkName(name string) string { return "sign-in-token-" + name }

func sessionName(name string) string { return "sign-in-" + name }

func (s SignIns) create(ctx context.Context, name string, value any, expires time.Time) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding a sign-in: %w", err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: s.Namespace, Name: name,
		Labels:      map[string]string{v1alpha1.LabelSecret: v1alpha1.PurposeSignIn, v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
		Annotations: map[string]string{v1alpha1.AnnotationExpiresAt: expires.UTC().Format(time.RFC3339)},
	}, Data: map[string][]byte{v1alpha1.SecretKeySignIn: text}}
	if err := s.Client.Create(ctx, secret); err != nil {
		return fmt.Errorf("creating the Secret of a sign-in: %w", err)
	}
	return nil
}

func (s SignIns) read(ctx context.Context, name string, value any) (connector.Version, error) {
	secret := &corev1.Secret{}
	err := s.Live.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: name}, secret)
	switch {
	case apierrors.IsNotFound(err):
		return "", signin.ErrGone
	case err != nil:
		return "", fmt.Errorf("reading the Secret of a sign-in: %w", err)
	case json.Unmarshal(secret.Data[v1alpha1.SecretKeySignIn], value) != nil:
		return "", errDamagedSignIn
	}
	return connector.Version(secret.ResourceVersion), nil
}

func (s SignIns) remove(ctx context.Context, name string, options ...client.DeleteOption) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: name}}
	return outcomeOf(s.Client.Delete(ctx, secret, options...))
}

// outcomeOf says what an error of a write means to a signin.Store.
func outcomeOf(err error) error {
	switch {
	case apierrors.IsNotFound(err):
		return signin.ErrGone
	case apierrors.IsConflict(err):
		return signin.ErrConflict
	case err != nil:
		return fmt.Errorf("writing the Secret of a sign-in: %w", err)
	default:
		return nil
	}
}

// CreateLink implements signin.Store.
func (s SignIns) CreateLink(ctx context.Context, name string, link signin.Link) error {
	return s.create(ctx, linkName(name), link, link.ExpiresAt)
}

// Link implements signin.Store.
func (s SignIns) Link(ctx context.Context, name string) (link signin.Link, version connector.Version, err error) {
	version, err = s.read(ctx, linkName(name), &link)
	return link, version, err
}

// UseLink implements signin.Store.
func (s SignIns) UseLink(ctx context.Context, name string, of connector.Version) error {
	return s.remove(ctx, linkName(name), client.Preconditions{ResourceVersion: new(string(of))})
}

// CreateSession implements signin.Store.
func (s SignIns) CreateSession(ctx context.Context, name string, session signin.Session) error {
	return s.create(ctx, sessionName(name), session, session.ExpiresAt)
}

// Session implements signin.Store.
func (s SignIns) Session(ctx context.Context, name string) (session signin.Session, version connector.Version, err error) {
	version, err = s.read(ctx, sessionName(name), &session)
	return session, version, err
}

// SaveSession implements signin.Store.
func (s SignIns) SaveSession(ctx context.Context, name string, session signin.Session, over connector.Version) (connector.Version, error) {
	text, err := json.Marshal(session)
	if err != nil {
		return "", fmt.Errorf("encoding a sign-in: %w", err)
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]string{"resourceVersion": string(over)},
		"data":     map[string][]byte{v1alpha1.SecretKeySignIn: text},
	})
	if err != nil {
		return "", fmt.Errorf("encoding a patch: %w", err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: sessionName(name)}}
	err = s.Client.Patch(ctx, secret, client.RawPatch(types.MergePatchType, patch))
	return connector.Version(secret.ResourceVersion), outcomeOf(err)
}

// DeleteSession implements signin.Store.
func (s SignIns) DeleteSession(ctx context.Context, name string) error {
	return s.remove(ctx, sessionName(name))
}
