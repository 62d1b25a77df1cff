// SPDX-License-Identifier: Apache-2.0

// The search knows no second goroutine, and the race detector makes minutes of its seconds.
//go:build !race

package keyring_test

import (
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/keyring"
)

// longestLife is that of tokens in the model.
const longestLife = 72 * time.Hour

// TestNoTokenIsRefused runs the model through random sequences of everything that may happen to it.
func TestNoTokenIsRefused(t *testing.T) {
	const sequences, steps = 1500, 50
	counts := map[string]int{}
	for seed := range uint64(sequences) {
		m := newModel(t, seed, counts)
		for range steps {
			m.step()
		}
	}
	t.Log(counts)
	for _, event := range []string{"Schedule", "Request", "Removal", "Algorithm", "expired", "reset noted", "jump", "issued", "verified"} {
		if counts[event] < sequences/10 {
			t.Errorf("%q has come %d times, so this test proves nothing about it", event, counts[event])
		}
	}
}

func newModel(t *testing.T, seed uint64, counts map[string]int) *model {
	random := mathrand.New(mathrand.NewPCG(seed, 7))
	m := &model{
		t: t, random: random, now: noon, counts: counts,
		live: map[string]time.Time{}, compromised: map[string]bool{}, rushed: map[string]time.Time{},
	}
	m.schedule.Lead = []time.Duration{2 * time.Hour, 5 * time.Hour, 24 * time.Hour}[random.IntN(3)]
	m.schedule.Interval = m.between(2*m.schedule.Lead, 6*m.schedule.Lead)
	m.schedule.MaxTokenLifetime = m.between(time.Minute, longestLife)
	m.schedule.Algorithm = keyring.AlgorithmES256
	m.tell("seed %d: %v", seed, m.schedule)
	for i := range m.replicas {
		m.replicas[i].skew = m.between(-skew, skew)
	}
	m.look()
	return m
}

// step is one thing that happens.
func (m *model) step() {
	switch m.random.IntN(13) {
	case 0:
		m.offset = m.between(-offset, offset)
		m.tell("the manager's clock is set %v off", m.offset)
		m.look()
	case 1:
		m.jump()
	case 2:
		m.rotate()
		m.look()
	case 3:
		m.compromise()
		m.look()
	case 4:
		m.changeLifetime()
	case 5:
		m.tell("the manager is away")
		m.pass(m.between(0, m.longestPause()))
		m.look()
	case 6:
		m.changeAlgorithm()
	default:
		m.pass(m.between(0, m.schedule.Lead))
		m.look()
	}
	m.pass(m.between(0, time.Hour))
}

// rotate asks for a rotation.
func (m *model) rotate() {
	m.request.Rotation = m.now.String()
	m.tell("a rotation is asked for")
}

// compromise has a key removed at once. It stays removed, as the annotation may stay.
func (m *model) compromise() {
	key := m.document.Keys[m.random.IntN(len(m.document.Keys))]
	m.request.Remove = append(m.request.Remove, key.ID)
	m.compromised[key.ID] = true
	delete(m.live, key.ID)
	m.tell("%.4s is compromised", key.ID)
}

// changeLifetime restarts the manager and then the replicas with another bound of lifetimes.
func (m *model) changeLifetime() {
	m.schedule.MaxTokenLifetime = m.between(time.Minute, longestLife)
	m.tell("tokens live for up to %v", m.schedule.MaxTokenLifetime)
	m.look()
}

// changeAlgorithm restarts the manager with another algorithm. Keys of RSA would take minutes to make.
func (m *model) changeAlgorithm() {
	m.schedule.Algorithm = keyring.Algorithms()[m.random.IntN(2)]
	m.tell("keys are for %s", m.schedule.Algorithm)
	m.look()
}

// jump takes the manager's clock far away and back within the hour. It was right just before, and it is noticed that it is
// right again. While it is behind nobody asks for a rotation: such a key would sign before all know it.
func (m *model) jump() {
	m.look()
	by := m.between(-2*366*24*time.Hour, 2*366*24*time.Hour)
	if m.random.IntN(2) == 0 {
		by = m.between(-3*m.schedule.Interval, 3*m.schedule.Interval)
	}
	m.offset += by
	m.counts["jump"]++
	m.tell("the manager's clock jumps by %v", by)
	if by > 0 && m.random.IntN(4) == 0 {
		m.rotate()
	}
	for left := time.Hour - time.Second; left > 0 && m.random.IntN(4) > 0; {
		m.look()
		pause := m.between(0, left)
		left -= pause
		m.pass(pause)
	}
	m.offset -= by
	m.tell("and back")
	m.look()
}

// TestNothingIsForgotten: after a clock that was years ahead for a moment, and whatever the manager made of it, the next
// rotation comes within an interval and two leads of when it was due, and once.
func TestNothingIsForgotten(t *testing.T) {
	for seed := range uint64(200) {
		counts := map[string]int{}
		m := newModel(t, seed, counts)
		m.pass(m.between(0, m.schedule.Interval))
		m.look()
		m.jump()
		rotations := counts[string(keyring.ReasonSchedule)] + counts[string(keyring.ReasonRequest)]
		signer := m.document.Keys[len(m.document.Keys)-1]
		began := m.now
		for m.now.Sub(began) < 3*m.schedule.Interval+3*m.schedule.Lead {
			m.pass(30 * time.Minute)
			m.look()
		}
		ring := m.ring(len(m.history) - 1)
		if now := ring.Signer(m.now); now.ID == signer.ID {
			m.fail("the key of the beginning signs still")
		}
		made := counts[string(keyring.ReasonSchedule)] + counts[string(keyring.ReasonRequest)] - rotations
		if made < 2 || made > 5 {
			m.fail("%d rotations in three intervals and three leads", made)
		}
	}
}
