// SPDX-License-Identifier: Apache-2.0

package kube_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/token"
)

// silent is an API server that takes a call and never answers it.
type silent struct{ client.Client }

func (silent) Create(ctx context.Context, _ client.Object, _ ...client.CreateOption) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestRevocationEndsInTime: the server gives an answer ten seconds. A revocation that hangs ends well before, so that the
// client hears that its token lives.
func TestRevocationEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		directory := &kube.Directory{}
		revoker := &kube.Revoker{Client: silent{}, Namespace: "claviger-system", Directory: directory}
		start := time.Now()
		err := revoker.Revoke(t.Context(), token.Claims{ID: "id", ClientID: "acme.orders"})
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != 5*time.Second {
			t.Errorf("got %v after %s", err, took)
		}
		if directory.Revoked("id") {
			t.Error("a token that is revoked nowhere else is refused here")
		}
	})
}
