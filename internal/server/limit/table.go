// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"hash/maphash"
	"net/netip"
	"sync"
)

const (
	// shardCount spreads keys over locks, so that requests seldom wait for each other.
	shardCount = 64
	// generationSize bounds the keys of one generation of a shard.
	generationSize = 256
	// Capacity bounds the keys of a table.
	Capacity = shardCount * 2 * generationSize
	// maxEntryBytes is what a key and its bucket take, the map's share included, on a 64-bit machine.
	maxEntryBytes = 128
	// MaxBytes bounds the memory of a table.
	MaxBytes = Capacity * maxEntryBytes
)

// table remembers values by key, and forgets those that were stored longest ago rather than grow: at least the last
// Capacity/2 of evenly spread keys are there, and never more than Capacity. Keys are 64-bit hashes under a seed of this process,
// so nobody can choose two that collide.
type table[V any] struct {
	shards [shardCount]shard[V]
}

// shard holds two generations of keys: the young one takes what is stored, and when it is full it becomes the old one. A
// forgotten key so costs nothing, where a list in order of use would cost a write on every look.
type shard[V any] struct {
	mutex      sync.Mutex
	young, old map[uint64]V
}

// lock gives the shard of a key, locked.
func (t *table[V]) lock(key uint64) *shard[V] {
	s := &t.shards[key%shardCount]
	s.mutex.Lock()
	return s
}

func (s *shard[V]) unlock() { s.mutex.Unlock() }

// load finds a value. recent reports that storing it again would change nothing.
func (s *shard[V]) load(key uint64) (value V, found, recent bool) {
	if value, found = s.young[key]; found {
		return value, true, true
	}
	value, found = s.old[key]
	return value, found, false
}

// store keeps a value as the newest.
func (s *shard[V]) store(key uint64, value V) {
	if _, known := s.young[key]; !known && len(s.young) >= generationSize {
		s.old, s.young = s.young, s.old
		clear(s.young)
	}
	if s.young == nil {
		s.young = make(map[uint64]V)
	}
	s.young[key] = value
}

// size counts the keys.
func (t *table[V]) size() int {
	count := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mutex.Lock()
		count += len(s.young) + len(s.old)
		s.mutex.Unlock()
	}
	return count
}

// hasher makes keys. Sources and client IDs may be of any length and of a stranger's choice; a key is eight bytes.
type hasher struct{ seed maphash.Seed }

func newHasher() hasher { return hasher{seed: maphash.MakeSeed()} }

func (h hasher) pair(source netip.Prefix, clientID string) uint64 {
	var hash maphash.Hash
	hash.SetSeed(h.seed)
	maphash.WriteComparable(&hash, source)
	_, _ = hash.WriteString(clientID)
	return hash.Sum64()
}

func (h hasher) source(source netip.Prefix) uint64 { return maphash.Comparable(h.seed, source) }

func (h hasher) client(clientID string) uint64 { return maphash.String(h.seed, clientID) }

// network is what one party has at least: an IPv4 address, or the /64 that IPv6 gives to every host, of which it can use any
// address.
func network(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	prefix, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: all such requests share one budget
	}
	return prefix
}
