// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"net/url"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
)

// explain adds to an error what to do about it.
func explain(err error) string {
	text := err.Error()
	var unreachable *url.Error
	var called service
	switch {
	case meta.IsNoMatchError(err):
		return text + "\nThis cluster has no Claviger. Is --context the right one?"
	case apierrors.IsUnauthorized(err):
		return text + "\nThe cluster does not know who you are. Log in again, or choose another --context"
	case apierrors.IsForbidden(err):
		return text + "\nAsk whoever runs the cluster for this right, or choose another --context"
	case isNotFound(err, "clientcredentials"):
		return text + "\nSee which there are: " + program + " status. Choose another namespace with -n"
	case isNotFound(err, "accountconnectors"):
		return text + "\nSee which there are: " + program + " connections. Choose another namespace with -n"
	case isNotFound(err, "accounts"):
		return text + "\nSee which there are: kubectl get accounts"
	case errors.As(err, &unreachable) && !errors.As(err, &called):
		return text + "\nIs --context the right one, and the cluster up?"
	default:
		return text
	}
}
