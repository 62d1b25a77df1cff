// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
)

// awaited is what became of a wait for one credential.
type awaited struct {
	current *v1alpha1.ClientCredential
	err     error
}

// finishAll waits for all rotations at the same time, so that one that is stuck takes nothing from the others, and tells of
// them in the order in which they were chosen.
func (c *rotateCommand) finishAll(ctx context.Context, api client.WithWatch, requested []*v1alpha1.ClientCredential) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	waits := make([]chan awaited, len(requested))
	for at, object := range requested {
		done := make(chan awaited, 1)
		waits[at] = done
		go func() {
			current, err := awaitRotation(ctx, api, object)
			done <- awaited{current: current, err: err}
		}()
	}
	var failures []error
	for _, wait := range waits {
		failures = append(failures, c.tellRotated(<-wait))
	}
	return errors.Join(failures...)
}

func awaitRotation(ctx context.Context, api client.WithWatch, object *v1alpha1.ClientCredential) (*v1alpha1.ClientCredential, error) {
	asked, before := object.Annotations[v1alpha1.AnnotationRotate], ""
	if made := object.Status.Rotation; made != nil {
		before = made.Request
	}
	current, err := await(ctx, api, wait[*v1alpha1.ClientCredential]{
		what: "credential " + object.Name, key: client.ObjectKeyFromObject(object), list: &v1alpha1.ClientCredentialList{},
		met: func(current *v1alpha1.ClientCredential) (bool, error) { return isRotated(current, asked, before) },
	})
	if ctx.Err() != nil {
		return nil, fmt.Errorf("credential %s is not done yet, and nobody waits any longer (%w); the request stands.\n"+
			"See how it goes: %s status %s -n %s", object.Name, ctx.Err(), program, object.Name, object.Namespace)
	}
	return current, err
}

// tellRotated says that a rotation is done, and until when the secret before works.
func (c *rotateCommand) tellRotated(rotation awaited) error {
	if rotation.err != nil {
		return rotation.err
	}
	if *c.print.OutputFormat != "" {
		return printObject(c.Out, c.print, rotation.current)
	}
	before := "the secret before works no longer"
	if until := credential.ReadVerifiers(rotation.current.Status.Verifiers).PreviousExpiry(); until.After(c.now()) {
		before = "the secret before works until " + moment(until, c.now())
	}
	c.say("%s/%s rotated; %s", resourceCredential, rotation.current.Name, before)
	return nil
}
