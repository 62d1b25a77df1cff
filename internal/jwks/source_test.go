// SPDX-License-Identifier: Apache-2.0

package jwks_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/jwks"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/outbound"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newKey(t *testing.T) keyring.Key {
	t.Helper()
	key, err := keyring.Generate(keyring.AlgorithmES256, rand.Reader, noon)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issuer publishes keys, or whatever else a test has it answer.
type issuer struct {
	answer atomic.Pointer[http.HandlerFunc]
	count  atomic.Int64
	*httptest.Server
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.count.Add(1)
		(*i.answer.Load())(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) answers(handler http.HandlerFunc) { i.answer.Store(&handler) }

func (i *issuer) publishes(t *testing.T, keys ...keyring.Key) {
	t.Helper()
	ring, err := keyring.NewRing(keys...)
	if err != nil {
		t.Fatal(err)
	}
	i.answers(func(w http.ResponseWriter, r *http.Request) {
		tag := `"` + keys[0].ID + `"`
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(ring.JWKS())
	})
}

// clock is one that a test moves.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return noon.Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

func source(i *issuer, c *clock) *jwks.Source {
	return &jwks.Source{URL: i.URL, Client: outbound.NewClient("", 5*time.Second), Now: c.now}
}

func knows(s *jwks.Source, key keyring.Key) bool {
	ring, ok := s.Ring()
	if !ok {
		return false
	}
	_, known := ring.Lookup(key.ID)
	return known
}

func TestWhatIsPublishedIsFollowed(t *testing.T) {
	i, now, old, next := newIssuer(t), &clock{}, newKey(t), newKey(t)
	s := source(i, now)
	if _, ok := s.Ring(); ok || s.Loaded() || !s.Fetched().IsZero() {
		t.Fatal("there are keys before any were fetched")
	}
	i.publishes(t, old)
	if !s.Ask(t.Context()) || !knows(s, old) || !s.Fetched().Equal(noon) {
		t.Fatal("the keys were not fetched")
	}

	i.publishes(t, next)
	if s.Ask(t.Context()) || knows(s, next) {
		t.Error("two fetches within seconds: whoever makes up key IDs could have us call the issuer all the time")
	}
	now.advance(5 * time.Second)
	if !s.Ask(t.Context()) || !knows(s, next) || knows(s, old) {
		t.Error("a key that was published, or withdrawn, was not noticed")
	}

	now.advance(time.Minute)
	if !s.Ask(t.Context()) || !knows(s, next) || !s.Fetched().Equal(now.now()) {
		t.Error("304 means that the keys are still the ones")
	}
	now.advance(-time.Hour)
	if !s.Ask(t.Context()) {
		t.Error("a clock that was set back must not stop us from fetching")
	}
}

func TestTheLastGoodKeysStay(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"the issuer fails":                      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"the path is another one":               http.NotFound,
		"the answer is no JWK set":              func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"the set is empty":                      func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) },
		"the answer is without end":             func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(strings.Repeat(" ", 1<<20))) },
		"the connection breaks off":             func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a redirect, which might lead anywhere": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			i, now, good := newIssuer(t), &clock{}, newKey(t)
			i.publishes(t, good)
			s := source(i, now)
			s.Ask(t.Context())
			i.answers(answer)
			now.advance(time.Minute)
			if s.Ask(t.Context()) {
				t.Error("it counts as fetched")
			}
			if !knows(s, good) || !s.Fetched().Equal(noon) {
				t.Error("the last good keys are gone")
			}
		})
	}
}

// TestManyWaitForOneFetch: those who come while the keys are fetched wait for that, and are told.
func TestManyWaitForOneFetch(t *testing.T) {
	i, key := newIssuer(t), newKey(t)
	i.publishes(t, key)
	publish, arrived, proceed := *i.answer.Load(), make(chan struct{}), make(chan struct{})
	i.answers(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-proceed
		publish(w, r)
	})
	s := source(i, &clock{})
	var told atomic.Int64
	var group sync.WaitGroup
	ask := func() {
		if s.Ask(t.Context()) {
			told.Add(1)
		}
	}
	group.Go(ask)
	<-arrived
	gaveUp, cancel := context.WithCancel(t.Context())
	cancel()
	if s.Ask(gaveUp) {
		t.Error("who gives up waiting has nothing new to look at")
	}
	for range 10 {
		group.Go(ask)
	}
	close(proceed)
	group.Wait()
	if i.count.Load() != 1 {
		t.Errorf("%d fetches", i.count.Load())
	}
	if told.Load() < 1 || !knows(s, key) {
		t.Errorf("%d were told", told.Load())
	}
}

func TestRunFetchesAtOnceAndEndsWithItsContext(t *testing.T) {
	i, key := newIssuer(t), newKey(t)
	i.publishes(t, key)
	publish, served := *i.answer.Load(), make(chan struct{})
	i.answers(func(w http.ResponseWriter, r *http.Request) {
		publish(w, r)
		close(served)
	})
	s := source(i, &clock{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-served
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
