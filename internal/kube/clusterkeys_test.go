// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// apiServer publishes keys, or does not.
type apiServer struct {
	mutex sync.Mutex
	published
}

type published struct {
	issuer string
	keys   string
	away   error
	looks  int
}

func (a *apiServer) change(by func(*published)) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	by(&a.published)
}

func (a *apiServer) get(_ context.Context, path string) ([]byte, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	switch {
	case a.away != nil:
		return nil, a.away
	case path == "/.well-known/openid-configuration":
		a.looks++
		return []byte(a.issuer), nil
	case path == "/openid/v1/jwks":
		return []byte(a.keys), nil
	default:
		return nil, errors.New("no such path")
	}
}

// keySet makes a set with a fresh key of each name.
func keySet(t *testing.T, names ...string) string {
	t.Helper()
	set := jose.JSONWebKeySet{}
	for _, name := range names {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: name})
	}
	raw, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// known gives the names of the keys, and how often the API server was asked.
func known(k *ClusterKeys) string {
	cluster, ok := k.Cluster()
	if !ok {
		return "nothing"
	}
	names := cluster.Issuer
	for _, key := range cluster.Keys {
		names += " " + key.Name
	}
	return names
}

// TestClusterKeys: an API server lives through a day, and is followed.
func TestClusterKeys(t *testing.T) {
	const issuer = `{"issuer":"https://k"}`
	one, both, two := keySet(t, "one"), keySet(t, "one", "two"), keySet(t, "two")
	synctest.Test(t, func(t *testing.T) {
		api := &apiServer{published: published{away: errors.New("the API server is away")}}
		keys := newClusterKeys(api.get, time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); keys.Follow(ctx) }()
		for _, row := range []struct {
			name   string
			change func(*published)
			after  time.Duration
			want   string
		}{
			{"it is away at the start", func(*published) {}, time.Hour, "nothing"},
			{"it comes", func(api *published) { *api = published{issuer: issuer, keys: one} }, 5 * time.Second, "https://k one"},
			{"it publishes a second key", func(api *published) { api.keys = both }, time.Minute, "https://k one two"},
			{"it withdraws the first", func(api *published) { api.keys = two }, time.Minute, "https://k two"},
			{"it goes away", func(api *published) { api.away = errors.New("away") }, time.Hour, "https://k two"},
			{"it comes back with another key", func(api *published) { api.away, api.keys = nil, one }, 5 * time.Second, "https://k one"},
			{"it publishes no keys", func(api *published) { api.keys = `{"keys":[]}` }, time.Hour, "https://k one"},
			{"it talks nonsense", func(api *published) { api.keys = `<html>` }, time.Hour, "https://k one"},
			{"it names no issuer", func(api *published) { api.keys, api.issuer = both, `{}` }, time.Hour, "https://k one"},
			{"one of its keys is of a type that nobody knows", func(api *published) {
				api.issuer, api.keys = issuer, `{"keys":[{"kty":"XYZ"},`+two[len(`{"keys":[`):]
			}, 5 * time.Second, "https://k two"},
		} {
			api.change(row.change)
			time.Sleep(row.after)
			synctest.Wait()
			if got := known(keys); got != row.want {
				t.Errorf("%s: got %q, want %q", row.name, got, row.want)
			}
		}
		cancel()
		<-done
	})
}

// TestAsk: a key that is not known is looked for at once, and made-up ones bring about no more than one look in ten seconds.
func TestAsk(t *testing.T) {
	one, two := keySet(t, "one"), keySet(t, "two")
	synctest.Test(t, func(t *testing.T) {
		api := &apiServer{published: published{issuer: `{"issuer":"https://k"}`, keys: one}}
		keys := newClusterKeys(api.get, time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go keys.Follow(ctx)
		synctest.Wait()
		api.change(func(api *published) { api.keys = two })
		if !keys.Ask() {
			t.Error("the first who asks is refused")
		}
		synctest.Wait()
		if got := known(keys); got != "https://k two" || api.looks != 2 {
			t.Errorf("got %q after %d looks", got, api.looks)
		}
		granted := 0
		for range 20 * 100 { // twenty seconds of a hundred a second
			time.Sleep(10 * time.Millisecond)
			if keys.Ask() {
				granted++
			}
		}
		synctest.Wait()
		if granted != 2 || api.looks != 4 {
			t.Errorf("%d were granted, and there were %d looks", granted, api.looks)
		}
	})
}
