// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"slices"
	"strconv"
	"time"

	"github.com/claviger/claviger/internal/connector"
)

// keyWriter writes the key of a state: what it is, and not how it came to be.
type keyWriter struct {
	text []byte
	// attempts in the order in which they are met: it makes no difference what they are called.
	attempts []string
}

func (k *keyWriter) word(words ...string) {
	for _, word := range words {
		k.text = append(append(k.text, word...), ' ')
	}
}

func (k *keyWriter) number(numbers ...int) {
	for _, number := range numbers {
		k.text = append(strconv.AppendInt(k.text, int64(number), 36), ' ')
	}
}

func (k *keyWriter) time(times ...time.Time) {
	for _, at := range times {
		if at.IsZero() {
			k.word("-")
		} else {
			k.number(int(at.Sub(epoch)))
		}
	}
}

func (k *keyWriter) yes(yes ...bool) {
	for _, is := range yes {
		k.text = strconv.AppendBool(k.text, is)
	}
}

func (k *keyWriter) attempt(name string) {
	at := slices.Index(k.attempts, name)
	if at < 0 {
		at = len(k.attempts)
		k.attempts = append(k.attempts, name)
	}
	k.number(at)
}

func (k *keyWriter) record(r connector.Record) {
	k.number(int(r.Generation))
	k.word(r.RefreshToken.Reveal())
	k.time(r.IssuedAt, r.ExpiresAt)
	k.yes(r.Reauthorize != nil, r.Misconfigured != nil)
	if r.Intent != nil {
		k.attempt(r.Intent.Attempt)
		k.word(r.Intent.Holder)
		k.time(r.Intent.StartedAt)
		k.number(r.Intent.Recoveries)
	}
}

func (k *keyWriter) memory(m connector.Memory) {
	k.attempt(m.Attempt)
	k.attempt(m.Watched)
	k.number(int(m.Generation), m.Failures)
	k.time(m.Acknowledged, m.Answered, m.Since, m.NotBefore)
	k.answer(m.Answer)
}

func (k *keyWriter) answer(a *connector.Answer) {
	if a != nil {
		k.number(int(a.Outcome))
		k.word(a.Tokens.Refresh.Reveal())
	}
	k.word("|")
}

func (s state) key() string {
	k := keyWriter{text: make([]byte, 0, 256), attempts: make([]string, 0, 8)}
	k.record(s.record)
	k.number(int(s.now), s.live, int(s.usedAt), s.deaths, s.losses, s.unsent, s.passes)
	k.number(s.accepted...)
	k.yes(s.ended, s.paused)
	for _, r := range s.replicas {
		k.memory(r.memory)
		k.word(r.token, r.had)
		k.answer(r.answer)
		k.yes(r.version == s.version)
		if r.acknowledged != nil {
			k.record(*r.acknowledged)
		}
		if r.write != nil {
			k.record(r.write.Record)
			k.memory(r.write.Written)
		}
	}
	return string(k.text)
}
