// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
)

// console reads the Secret of a console-level credential: the one that is named, else the only one that can be read.
func (c *connectCommand) console(ctx context.Context, api client.Reader, namespace string) (binding, error) {
	if c.credential == "" {
		return findConsole(ctx, api, namespace)
	}
	key := client.ObjectKey{Namespace: namespace, Name: c.credential}
	if in, name, qualified := strings.Cut(c.credential, "/"); qualified {
		key = client.ObjectKey{Namespace: in, Name: name}
	}
	object := &v1alpha1.ClientCredential{}
	if err := get(ctx, api, key, object); err != nil {
		return binding{}, err
	}
	if object.Spec.AccountRef != nil {
		return binding{}, fmt.Errorf("credential %s is of account %s: only a console-level one makes sign-in links", key, object.Spec.AccountRef.Name)
	}
	return readBinding(ctx, api, object)
}

func findConsole(ctx context.Context, api client.Reader, namespace string) (binding, error) {
	objects, err := listConsole(ctx, api, namespace)
	if err != nil {
		return binding{}, err
	}
	var names []string
	var found binding
	for _, object := range objects {
		read, err := readBinding(ctx, api, object)
		if err != nil {
			continue // it is for others, or does not work
		}
		found = read
		names = append(names, object.Namespace+"/"+object.Name)
	}
	switch len(names) {
	case 1:
		return found, nil
	case 0:
		return binding{}, errors.New("a sign-in link is made with a console-level credential, and there is none here whose Secret you may read: " +
			"name one with --credential, or have whoever runs the platform make the link")
	default:
		return binding{}, fmt.Errorf("there are several console-level credentials: choose one with --credential: %s", strings.Join(names, ", "))
	}
}

// listConsole lists the console-level credentials of all namespaces or, where the user may not, of one.
func listConsole(ctx context.Context, api client.Reader, namespace string) ([]*v1alpha1.ClientCredential, error) {
	list, err := listCredentials(ctx, api, "", "")
	if apierrors.IsForbidden(err) {
		list, err = listCredentials(ctx, api, namespace, "")
	}
	if err != nil {
		return nil, err
	}
	var found []*v1alpha1.ClientCredential
	for i := range list.Items {
		if object := &list.Items[i]; object.Spec.AccountRef == nil {
			found = append(found, object)
		}
	}
	return found, nil
}
