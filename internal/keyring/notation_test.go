// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/keyring"
)

// Tables write a document as its keys, the newest first, each with the time from which it signs, seen from noon: "B:2h A:-8h".
// What is noted with a key follows: "A:-8h,life=1h,remove=30m,reset=30m", and its algorithm where it is not ES256: "A:-8h,EdDSA".
// A key that the plan made is called "new".

// cast has the names of the keys of a table row.
type cast map[string]string

// parse gives the keys that are written, for tokens that live as long as the schedule allows where nothing else is.
func (c cast) parse(t *testing.T, text string) []keyring.Key {
	t.Helper()
	var keys []keyring.Key
	for _, word := range strings.Fields(text) {
		parts := strings.Split(word, ",")
		name, from, _ := strings.Cut(parts[0], ":")
		algorithm := keyring.AlgorithmES256
		if last := len(parts) - 1; slices.Contains(keyring.Algorithms(), parts[last]) {
			algorithm, parts = parts[last], parts[:last]
		}
		key := generateFor(t, algorithm, -1000)
		c[key.ID] = name
		key.SignFrom, key.MaxTokenLifetime = noon.Add(duration(t, from)), schedule.MaxTokenLifetime
		for _, note := range parts[1:] {
			what, value, _ := strings.Cut(note, "=")
			switch what {
			case "life":
				key.MaxTokenLifetime = duration(t, value)
			case "remove":
				key.RemoveAfter = noon.Add(duration(t, value))
			case "reset":
				key.ResetAfter = noon.Add(duration(t, value))
			default:
				t.Fatalf("what is %q?", note)
			}
		}
		keys = append(keys, key)
	}
	return keys
}

// write is the other way round.
func (c cast) write(keys []keyring.Key) string {
	words := make([]string, len(keys))
	for i, key := range keys {
		words[i] = c.name(key) + ":" + fromNoon(key.SignFrom)
		if key.MaxTokenLifetime != schedule.MaxTokenLifetime {
			words[i] += ",life=" + short(key.MaxTokenLifetime)
		}
		if !key.RemoveAfter.IsZero() {
			words[i] += ",remove=" + fromNoon(key.RemoveAfter)
		}
		if !key.ResetAfter.IsZero() {
			words[i] += ",reset=" + fromNoon(key.ResetAfter)
		}
		if key.Algorithm != keyring.AlgorithmES256 {
			words[i] += "," + key.Algorithm
		}
	}
	return strings.Join(words, " ")
}

func (c cast) name(key keyring.Key) string {
	if name, found := c[key.ID]; found {
		return name
	}
	return "new"
}

// names gives the names of keys in the order of the alphabet.
func (c cast) names(keys []keyring.Key) string {
	var names []string
	for _, key := range keys {
		names = append(names, c.name(key))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// ids gives the IDs of the keys of these names; of one that there is not, something that no key has.
func (c cast) ids(names string) []string {
	var ids []string
	for _, name := range strings.Fields(names) {
		id := "unknown " + name
		for known, its := range c {
			if its == name {
				id = known
			}
		}
		ids = append(ids, id)
	}
	return ids
}

func fromNoon(at time.Time) string { return short(at.Sub(noon)) }

// short writes a duration without what is zero.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(fmt.Errorf("reading a row: %w", err))
	}
	return d
}
