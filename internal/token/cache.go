// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/sha256"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/claviger/claviger/internal/keyring"
)

// Cache remembers tokens that were verified, so that each signature is checked once. A nil Cache remembers none. It holds
// hashes of tokens and what they say, and no token; only a token that Verify has accepted is taken in, so that whoever makes
// tokens up can push none out. Of more tokens than there is room for, those that are used most stay. It takes no lock to find one.
type Cache struct {
	tokens       *otter.Cache[[sha256.Size]byte, *verified]
	hits, misses atomic.Uint64
}

// verified is a token that Verify has accepted.
type verified struct {
	claims Claims
	// issuer is the one that was expected.
	issuer string
}

// NewCache makes a cache of at most so many tokens. For none, it is nil.
func NewCache(size int) *Cache {
	if size <= 0 {
		return nil
	}
	return &Cache{tokens: otter.Must(&otter.Options[[sha256.Size]byte, *verified]{
		MaximumSize: size,
		Executor:    func(tidy func()) { tidy() }, // in the call that makes it due, so that the bound holds at once
	})}
}

// Verify does what the function Verify does, to the same result. What the signature does not settle for good is checked every
// time: the key that it was made with is still in the ring, exp and iat, and that the same issuer is expected as before. aud is for its users to judge.
func (c *Cache) Verify(raw string, ring *keyring.Ring, expect Expect) (Claims, error) {
	if c == nil {
		return Verify(raw, ring, expect)
	}
	name := nameOf(raw)
	if known, found := c.tokens.GetIfPresent(name); found {
		if known.holds(ring, expect) {
			c.hits.Add(1)
			return known.claims, nil
		}
		c.tokens.Invalidate(name) // Verify says what is wrong with it
	}
	c.misses.Add(1)
	claims, err := Verify(raw, ring, expect)
	if err == nil {
		c.tokens.Set(name, &verified{claims: claims, issuer: expect.Issuer})
	}
	return claims, err
}

// nameOf gives the name of a token in the cache. Most tokens fit the buffer, which is not on the heap.
func nameOf(raw string) [sha256.Size]byte {
	var buffer [1024]byte
	return sha256.Sum256(append(buffer[:0], raw...))
}

// holds reports whether the token is still what it was when it was verified. Its key's ID is a hash of the key, so no other key
// can have come in its place.
func (v *verified) holds(ring *keyring.Ring, expect Expect) bool {
	_, published := ring.Lookup(v.claims.KeyID)
	return published && v.issuer == expect.Issuer &&
		expect.Now.Before(v.claims.ExpiresAt) && !v.claims.IssuedAt.After(expect.Now.Add(maxClockSkew))
}

// Hits counts how often a token that Verify was asked for was known.
func (c *Cache) Hits() uint64 { return c.hits.Load() }

// Misses counts how often it was not, or did not hold any more.
func (c *Cache) Misses() uint64 { return c.misses.Load() }

// Len is about how many tokens there are.
func (c *Cache) Len() int { return c.tokens.EstimatedSize() }
