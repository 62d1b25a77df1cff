// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// claimant may claim an ID that others claim too.
type claimant[T any] interface {
	// Outranks reports whether this one has the ID, and not the other.
	Outranks(other T) bool
}

// claims holds who has an ID that several objects may claim: the one that outranks all others. An object claims one ID at a
// time. Look-ups take no lock; a change takes one, and costs no more than looking at those who claim the same ID. The zero
// value is ready for use.
type claims[T claimant[T]] struct {
	holders sync.Map // ID -> holder[T]

	mutex  sync.Mutex
	ids    map[client.ObjectKey]string       // what each object claims
	rivals map[string]map[client.ObjectKey]T // who claims each ID
}

type holder[T any] struct {
	key   client.ObjectKey
	value T
}

// load finds who has an ID.
func (c *claims[T]) load(id string) (T, bool) {
	found, ok := c.holders.Load(id)
	if !ok {
		var none T
		return none, false
	}
	return found.(holder[T]).value, true
}

// store notes that an object claims an ID, and no longer the one that it may have claimed before.
func (c *claims[T]) store(key client.ObjectKey, id string, value T) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.ids == nil {
		c.ids, c.rivals = map[client.ObjectKey]string{}, map[string]map[client.ObjectKey]T{}
	}
	before, claimed := c.ids[key]
	c.ids[key] = id
	if c.rivals[id] == nil {
		c.rivals[id] = map[client.ObjectKey]T{}
	}
	c.rivals[id][key] = value
	if found, ok := c.holders.Load(id); !ok || found.(holder[T]).key == key || value.Outranks(found.(holder[T]).value) {
		c.elect(id) // else it is one more that does not have the ID
	}
	if claimed && before != id { // last, so that a client whose ID changes is never unknown
		c.withdraw(before, key)
	}
}

// forget drops an object that is gone. Whoever comes next has its ID.
func (c *claims[T]) forget(key client.ObjectKey) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if id, claimed := c.ids[key]; claimed {
		delete(c.ids, key)
		c.withdraw(id, key)
	}
}

func (c *claims[T]) withdraw(id string, key client.ObjectKey) {
	delete(c.rivals[id], key)
	if found, ok := c.holders.Load(id); ok && found.(holder[T]).key == key {
		c.elect(id)
	}
}

// elect publishes who has an ID.
func (c *claims[T]) elect(id string) {
	rivals := c.rivals[id]
	if len(rivals) == 0 {
		delete(c.rivals, id)
		c.holders.Delete(id)
		return
	}
	var first *holder[T]
	for key, value := range rivals {
		if first == nil || value.Outranks(first.value) {
			first = &holder[T]{key, value}
		}
	}
	c.holders.Store(id, *first)
}
