// SPDX-License-Identifier: Apache-2.0

package clavigertest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/server"
)

// pause is how long the kit waits before it looks again.
const pause = 20 * time.Millisecond

// trust is a transport that trusts the token service, also once its authority is another.
type trust struct{ current atomic.Pointer[trusted] }

type trusted struct {
	http.Transport
	bundle []byte
}

// RoundTrip implements http.RoundTripper.
func (t *trust) RoundTrip(request *http.Request) (*http.Response, error) {
	current := t.current.Load()
	if current == nil {
		return nil, errStopped
	}
	return current.RoundTrip(request)
}

// CloseIdleConnections is what the method of http.Client calls.
func (t *trust) CloseIdleConnections() {
	if current := t.current.Load(); current != nil {
		current.CloseIdleConnections()
	}
}

func (t *trust) certificates() []byte {
	if current := t.current.Load(); current != nil {
		return append([]byte(nil), current.bundle...)
	}
	return nil
}

// use trusts something else from now on.
func (t *trust) use(fresh *trusted) {
	if former := t.current.Swap(fresh); former != nil {
		former.CloseIdleConnections()
	}
}

// trusting gives a transport that trusts a bundle alone.
func (k *Kit) trusting(bundle []byte) (*trusted, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bundle) {
		return nil, errors.New("there is no certificate to trust yet")
	}
	return &trusted{bundle: bundle, Transport: http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, Time: k.clock.Now, MinVersion: tls.VersionTLS12},
	}}, nil
}

// awaitService waits until the token service is ready and has a certificate that is good now, and trusts it.
func (k *Kit) awaitService(ctx context.Context) error {
	ctx, cancel := k.boundBy(ctx, DefaultTimeout)
	defer cancel()
	for {
		err := k.lookAtService(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the token service: %w (at last: %w)", context.Cause(ctx), err)
		case <-time.After(pause):
		}
	}
}

func (k *Kit) lookAtService(ctx context.Context) error {
	serving := &corev1.Secret{}
	if err := k.api.Get(ctx, client.ObjectKey{Namespace: config.Namespace, Name: v1alpha1.ServingSecretName}, serving); err != nil {
		return fmt.Errorf("looking for its certificate: %w", err)
	}
	fresh, err := k.trusting(serving.Data[v1alpha1.SecretKeyCACert])
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.Issuer()+server.PathReady, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking whether it is ready: %w", err)
	}
	response, err := fresh.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("asking whether it is ready: %w", err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		fresh.CloseIdleConnections()
		return fmt.Errorf("it is not ready: HTTP status %d", response.StatusCode)
	}
	k.trust.use(fresh)
	return nil
}
