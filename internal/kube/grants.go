// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
)

// Grants keeps the records of connections, each in a Secret of its own in the connections namespace. It is the connector.Store of
// every role: the resourceVersion of the Secret is the version of the record, so the API server decides who was first.
type Grants struct {
	Client client.Client
	// Live reads from the API server: a record from a cache may be of before a refresh.
	Live client.Reader
	// Namespace is the connections namespace.
	Namespace string
}

// Key gives the Secret of a grant, which is named by the UID of its AccountConnector: one that is made anew is another grant.
func (g Grants) Key(grant string) client.ObjectKey {
	return client.ObjectKey{Namespace: g.Namespace, Name: grantPrefix + grant}
}

// grantPrefix begins the names of the Secrets of grants.
const grantPrefix = "connection-"

// Grant gives the grant that a Secret keeps, by its name and place.
func (g Grants) Grant(secret client.Object) (string, bool) {
	grant, is := strings.CutPrefix(secret.GetName(), grantPrefix)
	return grant, is && secret.GetNamespace() == g.Namespace
}

// Create makes the Secret of a grant with an empty record, where there is none. of says which AccountConnector it belongs to,
// "<namespace>/<name>", and through which Connector it is.
func (g Grants) Create(ctx context.Context, grant, of, through string) error {
	key := g.Key(grant)
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = key.Namespace, key.Name
	secret.Labels = map[string]string{v1alpha1.LabelSecret: v1alpha1.PurposeConnection, v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
	secret.Annotations = map[string]string{v1alpha1.AnnotationConnection: of, v1alpha1.AnnotationConnector: through}
	if err := g.Client.Create(ctx, secret); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating Secret %s: %w", key, err)
	}
	return nil
}

// Delete deletes the Secret of a grant under the version that was read; under an empty one, whatever it is. It fails with
// connector.ErrConflict. One that is gone is no error.
func (g Grants) Delete(ctx context.Context, grant string, over connector.Version) error {
	key := g.Key(grant)
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = key.Namespace, key.Name
	var only client.Preconditions
	if over != "" {
		version := string(over)
		only.ResourceVersion = &version
	}
	err := g.Client.Delete(ctx, secret, only)
	switch {
	case apierrors.IsConflict(err):
		return connector.ErrConflict
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("deleting Secret %s: %w", key, err)
	default:
		return nil
	}
}

// Read implements connector.Store.
func (g Grants) Read(ctx context.Context, grant string) (connector.Record, connector.Version, error) {
	kept, err := g.Load(ctx, grant)
	return kept.Record, kept.Version, err
}

// Load reads all that is kept of a grant, from the API server. It fails with connector.ErrGone or connector.ErrDamaged.
func (g Grants) Load(ctx context.Context, grant string) (connector.Kept, error) {
	key, secret := g.Key(grant), &corev1.Secret{}
	err := g.Live.Get(ctx, key, secret)
	switch {
	case apierrors.IsNotFound(err):
		return connector.Kept{}, connector.ErrGone
	case err != nil:
		return connector.Kept{}, fmt.Errorf("reading Secret %s: %w", key, err)
	}
	kept := connector.Kept{Version: connector.Version(secret.ResourceVersion)}
	if kept.Record, err = connector.Decode(secret.Data[v1alpha1.SecretKeyRecord]); err != nil {
		return connector.Kept{}, fmt.Errorf("Secret %s: %w", key, err) //nolint:staticcheck // ST1005: a kind
	}
	if kept.Pending, err = connector.DecodePending(secret.Data[v1alpha1.SecretKeyPending]); err != nil {
		return connector.Kept{}, fmt.Errorf("Secret %s: %w", key, err) //nolint:staticcheck // ST1005: a kind
	}
	if text := secret.Data[v1alpha1.SecretKeyProperties]; len(text) > 0 && json.Unmarshal(text, &kept.Properties) != nil {
		return connector.Kept{}, fmt.Errorf("Secret %s: %w", key, connector.ErrDamaged) //nolint:staticcheck // ST1005: a kind
	}
	return kept, nil
}

// dataOf gives what a change writes, as a merge patch has it.
func dataOf(c connector.Change) (map[string]any, error) {
	data := map[string]any{}
	var mistakes [3]error
	if c.Record != nil {
		data[v1alpha1.SecretKeyRecord], mistakes[0] = c.Record.Encode()
	}
	if c.Properties != nil {
		data[v1alpha1.SecretKeyProperties], mistakes[1] = json.Marshal(c.Properties)
	}
	switch {
	case c.DropPending:
		data[v1alpha1.SecretKeyPending] = nil // takes the key away
	case c.Pending != nil:
		data[v1alpha1.SecretKeyPending], mistakes[2] = c.Pending.Encode()
	}
	return data, errors.Join(mistakes[:]...)
}

// Write implements connector.Store. It changes the record, and nothing else that is in the Secret.
func (g Grants) Write(ctx context.Context, grant string, record connector.Record, over connector.Version) (connector.Version, error) {
	return g.Save(ctx, grant, connector.Change{Record: &record}, over)
}

// Save makes a change under the version that was read. It fails with connector.ErrConflict or connector.ErrGone. After any other error
// nobody knows whether it was made.
func (g Grants) Save(ctx context.Context, grant string, change connector.Change, over connector.Version) (connector.Version, error) {
	data, err := dataOf(change)
	if err != nil {
		return "", fmt.Errorf("Secret of a grant: %w", err) //nolint:staticcheck // ST1005: a kind
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]string{"resourceVersion": string(over)},
		"data":     data,
	})
	if err != nil {
		return "", fmt.Errorf("encoding a patch: %w", err)
	}
	key, secret := g.Key(grant), &corev1.Secret{}
	secret.Namespace, secret.Name = key.Namespace, key.Name
	err = g.Client.Patch(ctx, secret, client.RawPatch(types.MergePatchType, patch))
	switch {
	case apierrors.IsConflict(err):
		return "", connector.ErrConflict
	case apierrors.IsNotFound(err):
		return "", connector.ErrGone
	case err != nil:
		return "", fmt.Errorf("writing Secret %s: %w", key, err)
	}
	return connector.Version(secret.ResourceVersion), nil
}
