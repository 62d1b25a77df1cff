// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"slices"
	"time"
)

// remove drops the keys that must go at once. Where the one that signs is among them, the next that waits signs at once, or a
// new one does: never one that has had its time.
func (d *draft) remove(ids []string) error {
	if len(d.keys) == 0 {
		return d.add(d.now)
	}
	signer := d.keys[signing(d.keys, d.now)]
	d.keys = slices.DeleteFunc(d.keys, func(key Key) bool {
		compromised := slices.Contains(ids, key.ID)
		if compromised {
			d.plan.Removed = append(d.plan.Removed, key)
		}
		return compromised
	})
	if !slices.Contains(ids, signer.ID) {
		return nil
	}
	d.plan.Rotations = append(d.plan.Rotations, ReasonRemoval)
	for i, key := range slices.Backward(d.keys) {
		if key.SignFrom.After(d.now) {
			d.keys[i].SignFrom = d.now
			return nil
		}
	}
	return d.add(d.now)
}

// rotate publishes a successor of the newest key where it is time or somebody asks for it. A key that waits, or was made just
// now, is what was asked for.
func (d *draft) rotate(request string) error {
	newest, signer := d.keys[0], signing(d.keys, d.now)
	if sane := d.keys[signer].SignFrom.Add(-d.Lead); sane.After(d.now) {
		d.due(sane)
		return nil // the clock is wrong, or was when the key was made: see reset
	}
	defer func() { d.due(d.rotationDue()) }()
	asked := request != "" && request != d.rotation
	if asked && (signer > 0 || len(d.plan.Added) > 0) {
		d.rotation = request
		return nil
	}
	if !asked && d.now.Before(d.rotationDue()) {
		return nil
	}
	if len(d.keys) >= MaxKeys {
		d.plan.Full = true
		return nil
	}
	// Later than the newest key in any case, also where a clock was ahead when that was made.
	signFrom, reason := latest(d.now.Add(d.Lead), newest.SignFrom.Add(time.Second)), ReasonAlgorithm
	switch {
	case asked:
		d.rotation, reason = request, ReasonRequest
	case newest.Algorithm == d.Algorithm:
		signFrom, reason = latest(d.now.Add(d.Lead), newest.SignFrom.Add(d.Interval)), ReasonSchedule
	}
	d.plan.Rotations = append(d.plan.Rotations, reason)
	return d.add(signFrom)
}

// add makes the newest key.
func (d *draft) add(signFrom time.Time) error {
	key, err := Generate(d.Algorithm, d.random, d.now)
	if err != nil {
		return err
	}
	key.SignFrom, key.MaxTokenLifetime = signFrom, d.MaxTokenLifetime
	d.keys = slices.Insert(d.keys, 0, key)
	d.plan.Added = append(d.plan.Added, key)
	return nil
}
