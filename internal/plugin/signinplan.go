// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/oauth"
)

// plan is what a link is made for.
type plan struct {
	connection *v1alpha1.AccountConnector
	user       string
	target     string
}

// plan finds out what the flags leave open.
func (c *connectCommand) plan(ctx context.Context, api client.Client, object *v1alpha1.AccountConnector) (plan, error) {
	made := plan{connection: object, user: c.user, target: c.target}
	var err error
	if made.target == "" {
		if made.target, err = findTarget(ctx, api, object); err != nil {
			return plan{}, err
		}
	}
	if made.user == "" {
		if made.user, err = whoIs(ctx, api); err != nil {
			return plan{}, err
		}
	}
	return made, nil
}

// whoIs asks the API server who runs the plugin.
func whoIs(ctx context.Context, api client.Client) (string, error) {
	review := &authenticationv1.SelfSubjectReview{}
	if err := api.Create(ctx, review); err != nil {
		return "", fmt.Errorf("finding out who you are: %w\nSay on whose behalf the account is connected: --user", err)
	}
	return review.Status.UserInfo.Username, nil
}

// findTarget chooses where a sign-in ends.
func findTarget(ctx context.Context, api client.Reader, object *v1alpha1.AccountConnector) (string, error) {
	place := signin.Place{Connection: object, Account: &v1alpha1.Account{}, Connector: &v1alpha1.Connector{}}
	err := errors.Join(
		get(ctx, api, client.ObjectKey{Name: object.Spec.AccountRef.Name}, place.Account),
		get(ctx, api, client.ObjectKey{Name: object.Spec.ConnectorRef.Name}, place.Connector),
	)
	if err != nil {
		return "", fmt.Errorf("finding out where the sign-in may end: %w\nSay it with --target-origin", err)
	}
	return chooseTarget(place)
}

// chooseTarget prefers an origin on loopback, where the plugin itself learns how the sign-in has ended. A connection that the host's
// backend confirms must end at the host's page, which is given the code.
func chooseTarget(place signin.Place) (string, error) {
	if place.Connector.Spec.Grant == v1alpha1.GrantClientCredentials {
		return "", fmt.Errorf("nobody signs in at %s: its grant is %s", place.Connector.Name, v1alpha1.GrantClientCredentials)
	}
	allowed := signin.AllowedOrigins(place)
	confirmed := place.Confirms()
	if at := slices.IndexFunc(allowed, isLoopbackOrigin); at >= 0 && !confirmed {
		return allowed[at], nil
	}
	if confirmed {
		allowed = slices.DeleteFunc(allowed, isLoopbackOrigin)
	}
	if len(allowed) == 0 {
		return "", errors.New("no page is allowed that the sign-in could end at: add one to spec.allowedOrigins of the Account, " +
			"or of the Connector; at http://127.0.0.1:8765 this command itself would say how it ended")
	}
	return allowed[0], nil
}

func isLoopbackOrigin(origin string) bool {
	host, isHTTP := loopbackAddress(origin)
	return isHTTP && oauth.IsLoopbackAddress(host)
}
