// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/internal/oauth"
)

// disturbance is what happens between two reconciliations.
type disturbance struct {
	name   string
	happen func(*cluster)
}

// toSecrets are the disturbances of the Secret alone.
func toSecrets(c *cluster) []disturbance {
	all := []disturbance{
		{"nothing happens", func(*cluster) {}},
		{"the Secret is deleted", func(c *cluster) { c.secrets[c.name] = stored{} }},
		{"the Secret is edited", func(c *cluster) {
			secret := &c.secrets[c.name]
			if !secret.exists {
				*secret = stored{exists: true, owner: c.uid}
			}
			secret.secret = "hunter2"
		}},
	}
	if c.inUse != "" && c.inUse != c.published() {
		all = append(all, disturbance{"the secret in use is put back", putBack(c.inUse)})
	}
	for i, former := range c.order {
		if former != c.inUse && !slices.Contains(c.order[:i], former) {
			all = append(all, disturbance{"a former secret is put back", putBack(former)})
		}
	}
	return all
}

// putBack restores the Secret as it was when it held that secret.
func putBack(secret string) func(*cluster) {
	return func(c *cluster) {
		made := c.records[secret]
		c.secrets[c.name] = stored{exists: true, secret: secret, made: &made, owner: c.uid}
	}
}

// toAll are the disturbances of the Secrets, the status, the spec and the clock.
func toAll(c *cluster) []disturbance {
	all := append(toSecrets(c),
		disturbance{"the trigger changes", func(c *cluster) { c.rotation.Trigger = other(c.rotation.Trigger, "q3", "q4") }},
		disturbance{"the annotation changes", func(c *cluster) { c.rotation.Request = other(c.rotation.Request, "first", "second") }},
		disturbance{"the interval passes", func(c *cluster) { c.advance(c.rotation.Interval) }},
		disturbance{"the Secret is renamed", func(c *cluster) { c.name = 1 - c.name }},
		disturbance{"the overlap changes", func(c *cluster) {
			c.rotation.Overlap = overlap - c.rotation.Overlap
			c.shorten()
		}},
		disturbance{"the clock jumps", (*cluster).jump},
	)
	if len(c.verifiers) > 0 {
		all = append(all, disturbance{"the status is wiped", (*cluster).wipe}, disturbance{"the object is made anew", (*cluster).recreate})
	}
	if c.secrets[c.name].made != nil {
		all = append(all, disturbance{"the record is taken away", func(c *cluster) { c.secrets[c.name].made = nil }})
	}
	if c.rotation.Trigger != "" {
		all = append(all, disturbance{"the trigger is taken away", func(c *cluster) { c.rotation.Trigger = "" }})
	}
	return all
}

func other(value, one, two string) string {
	if value == one {
		return two
	}
	return one
}

// advance lets time pass. What is no longer owed is not owed again by a clock that goes back.
func (c *cluster) advance(d time.Duration) {
	c.now = c.now.Add(d)
	maps.DeleteFunc(c.owed, func(_ string, until time.Time) bool { return !c.now.Before(until) })
}

// jump sets the clock 30 days ahead, or back.
func (c *cluster) jump() {
	const jump = 30 * 24 * time.Hour
	if c.ahead = !c.ahead; c.ahead {
		c.advance(jump)
		return
	}
	c.now = c.now.Add(-jump)
	c.shorten()
}

// shorten: nothing is owed for longer than the overlap in force, from now.
func (c *cluster) shorten() {
	for secret, until := range c.owed {
		if last := c.now.Add(c.rotation.Overlap - time.Second); until.After(last) {
			c.owed[secret] = last
		}
	}
	c.advance(0)
}

// wipe loses the status. Nothing works until the next reconciliation, which has only the Secrets to go by.
func (c *cluster) wipe() {
	c.verifiers, c.known, c.told, c.inUse = nil, nil, "", ""
	clear(c.owed)
}

// recreate deletes the object and makes another one of its name, which finds the Secret: it was to be retained, or comes from
// a backup. That of a former name is gone.
func (c *cluster) recreate() {
	c.wipe()
	c.uid, c.prepared = c.uid+types.UID("'"), oauth.Secret{}
	c.secrets[1-c.name] = stored{}
}
