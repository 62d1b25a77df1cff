// SPDX-License-Identifier: Apache-2.0

// Package jwks follows the keys that an issuer publishes (RFC 7517), for roles that verify tokens and have no right to its
// Secrets. What was fetched stays until something better is: an issuer that is away stops nobody from verifying.
package jwks

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/outbound"
)

// maxSize bounds a JWK set, in bytes. A hundred RSA keys are a quarter of it.
const maxSize = 256 << 10

// betweenAsked is how long there is at least between fetches that are made because a token named a key that is not known.
// Whoever sends tokens with made-up key IDs brings about no more than that.
const betweenAsked = 5 * time.Second

// Source holds the keys as they were fetched last. It is safe for concurrent use.
type Source struct {
	// URL is where the set is.
	URL string
	// Client bounds its own calls in time.
	Client *http.Client
	Now    func() time.Time

	ring    atomic.Pointer[keyring.Ring]
	fetched atomic.Int64 // unix nanoseconds of the last fetch that succeeded
	etag    string       // of the ring; read and written by the one flight that there is

	mutex   sync.Mutex
	current *flight   // nil where none is under way
	asked   time.Time // when the last flight on behalf of a token began
}

// flight is one fetch, for which several may wait.
type flight struct {
	done  chan struct{}
	again time.Duration // after which to fetch again, where it succeeded
	err   error
}

// Ring gives the keys. They verify, and never sign.
func (s *Source) Ring() (*keyring.Ring, bool) {
	ring := s.ring.Load()
	return ring, ring != nil
}

// Pepper gives none: who verifies tokens has no use for it.
func (*Source) Pepper() (credential.Pepper, bool) { return credential.Pepper{}, false }

// Loaded reports whether there are keys.
func (s *Source) Loaded() bool { return s.ring.Load() != nil }

// Fetched tells when the keys were last known to be the ones that are published; the zero time where they never were.
func (s *Source) Fetched() time.Time {
	if at := s.fetched.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// Ask fetches the keys on behalf of a token whose key is not known, unless that was done in the last seconds. It reports
// whether they were fetched, so that it is worth looking again. The context bounds the wait and not the fetch, which others
// may be waiting for.
func (s *Source) Ask(ctx context.Context) bool {
	awaited := s.takeOff(ctx, true)
	if awaited == nil {
		return false
	}
	select {
	case <-awaited.done:
		return awaited.err == nil
	case <-ctx.Done():
		return false
	}
}

// takeOff gives the flight that is under way, or begins one. On behalf of a token it may do neither, and gives nil.
func (s *Source) takeOff(ctx context.Context, forToken bool) *flight {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.current != nil {
		return s.current
	}
	if forToken {
		now := s.Now()
		if since := now.Sub(s.asked); !s.asked.IsZero() && since >= 0 && since < betweenAsked {
			return nil
		}
		s.asked = now
	}
	begun := &flight{done: make(chan struct{})}
	s.current = begun
	go func() {
		defer close(begun.done)
		begun.again, begun.err = s.fetch(context.WithoutCancel(ctx))
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.current = nil
	}()
	return begun
}

// Run fetches the keys again and again until the context ends. It never fails: what goes wrong is logged and tried again.
func (s *Source) Run(ctx context.Context) error {
	log, failures := logr.FromContextOrDiscard(ctx), 0
	for {
		awaited := s.takeOff(ctx, false)
		select {
		case <-ctx.Done():
			return nil
		case <-awaited.done:
		}
		wait := awaited.again
		if awaited.err == nil {
			failures = 0
		} else {
			failures++
			wait = backoff(failures)
			log.Error(awaited.err, "The keys could not be fetched; the last good ones stay", "url", s.URL, "again", wait.String())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// fetch fetches the keys once, and tells after which time to do so again.
func (s *Source) fetch(ctx context.Context) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("fetching the keys: %w", err)
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	if s.etag != "" {
		request.Header.Set("If-None-Match", s.etag)
	}
	response, err := s.Client.Do(request) //nolint:bodyclose // ReadBody closes it
	if err != nil {
		return 0, fmt.Errorf("fetching the keys: %w", err)
	}
	body, err := outbound.ReadBody(response, maxSize)
	if err != nil {
		return 0, fmt.Errorf("fetching the keys: %w", err)
	}
	switch {
	case response.StatusCode == http.StatusNotModified && s.Loaded():
	case response.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("fetching the keys: status %d", response.StatusCode)
	default:
		ring, err := keyring.ParseJWKS(body)
		if err != nil {
			return 0, fmt.Errorf("fetching the keys: %w", err)
		}
		s.ring.Store(ring)
		s.etag = response.Header.Get("ETag")
	}
	s.fetched.Store(s.Now().UnixNano())
	return refreshAfter(response.Header), nil
}
