// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"

	"github.com/claviger/claviger/internal/assertion"
)

// Where the API server publishes who signs ServiceAccount tokens. jwks_uri in the first document may be a place elsewhere that
// operators copy the second one to; the API server's own is the one to believe, and needs no other way out.
const (
	pathClusterIssuer = "/.well-known/openid-configuration"
	pathClusterKeys   = "/openid/v1/jwks"
)

const (
	// clusterKeysRefresh is how long a key that the API server no longer publishes is believed at most.
	clusterKeysRefresh = time.Minute
	// clusterKeysRetry is when to try again after a failure.
	clusterKeysRetry = 5 * time.Second
	// betweenAsked is how long there is at least between looks on behalf of tokens. Whoever sends tokens with made-up key IDs brings
	// about no more than that.
	betweenAsked = 10 * time.Second
	// clusterKeysTimeout bounds one look.
	clusterKeysTimeout = 10 * time.Second
	// maxClusterKeys bounds how many keys an API server is believed to have.
	maxClusterKeys = 64
)

// ClusterKeys holds the API server's issuer identifier and keys for ServiceAccount tokens, as it last told. What is known stays,
// also while the API server is away or tells nonsense. Look-ups take no lock and make no call.
type ClusterKeys struct {
	get     func(ctx context.Context, path string) ([]byte, error)
	now     func() time.Time
	cluster atomic.Pointer[assertion.Cluster]
	asked   atomic.Int64 // unix nanoseconds of the last Ask that was granted
	wake    chan struct{}
}

// NewClusterKeys makes one that knows nothing yet, and asks the API server with that client.
func NewClusterKeys(api rest.Interface, now func() time.Time) *ClusterKeys {
	get := func(ctx context.Context, path string) ([]byte, error) {
		raw, err := api.Get().AbsPath(path).Do(ctx).Raw()
		if err != nil {
			return nil, fmt.Errorf("asking the API server for %s: %w", path, err)
		}
		return raw, nil
	}
	return newClusterKeys(get, now)
}

func newClusterKeys(get func(context.Context, string) ([]byte, error), now func() time.Time) *ClusterKeys {
	return &ClusterKeys{get: get, now: now, wake: make(chan struct{}, 1)}
}

// Cluster gives what is known; false where nothing is.
func (k *ClusterKeys) Cluster() (*assertion.Cluster, bool) {
	cluster := k.cluster.Load()
	return cluster, cluster != nil
}

// Ask has the API server asked anew soon. It reports false where somebody has just had that done, so that it is no use to wait.
func (k *ClusterKeys) Ask() bool {
	now, last := k.now().UnixNano(), k.asked.Load()
	since := time.Duration(now - last)
	if last != 0 && since >= 0 && since < betweenAsked || !k.asked.CompareAndSwap(last, now) {
		return false
	}
	select {
	case k.wake <- struct{}{}:
	default: // it is about to be asked
	}
	return true
}

// Follow keeps what is known up to date until the context ends.
func (k *ClusterKeys) Follow(ctx context.Context) {
	log, failing := logr.FromContextOrDiscard(ctx), false
	for {
		wait, err := clusterKeysRefresh, k.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			wait = clusterKeysRetry
			if !failing { // once, not every time
				log.Error(err, "The API server's keys for ServiceAccount tokens are not to be had; the last good ones stay")
			}
		case failing:
			log.Info("The API server's keys for ServiceAccount tokens are known again")
		}
		failing = err != nil
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-k.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// look asks the API server once. Of its keys, those that are good are taken, whatever the others are.
func (k *ClusterKeys) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, clusterKeysTimeout)
	defer cancel()
	document, err := k.get(ctx, pathClusterIssuer)
	if err != nil {
		return err
	}
	var metadata struct {
		Issuer string `json:"issuer"`
	}
	if err := json.Unmarshal(document, &metadata); err != nil || metadata.Issuer == "" {
		return errors.New("what the API server says of its issuer names none")
	}
	raw, err := k.get(ctx, pathClusterKeys)
	if err != nil {
		return err
	}
	keys, err := assertion.ReadSet(raw, maxClusterKeys)
	if len(keys) > 0 {
		k.cluster.Store(&assertion.Cluster{Issuer: metadata.Issuer, Keys: keys})
	} else if err == nil {
		err = errors.New("the API server publishes no keys")
	}
	return err
}
