// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"testing"
	"time"

	"github.com/claviger/claviger/internal/connector"
)

// door lets in or not, and notes with what whoever was in has left.
type door struct {
	wait time.Duration
	in   int
	left []*connector.Answer
}

func (d *door) enter() (func(*connector.Answer), time.Duration) {
	if d.wait > 0 {
		return nil, d.wait
	}
	d.in++
	return func(answer *connector.Answer) {
		d.in--
		d.left = append(d.left, answer)
	}, 0
}

func TestAProviderThatIsNotAskedNow(t *testing.T) {
	s, d := newScene(t, providers()[3]), &door{wait: time.Minute}
	keeper, grant := s.keeper("replica-0", s.store), s.grant()
	grant.Enter = d.enter
	keep := func() connector.Standing {
		t.Helper()
		standing, err := keeper.Keep(t.Context(), grant)
		if err != nil {
			t.Fatal(err)
		}
		return standing
	}
	before := s.store.version
	standing := keep()
	if !standing.Held || s.store.version != before || len(s.provider.accepted) != 0 || standing.Record.Generation != 1 {
		t.Errorf("waiting costs nothing: %+v after %d writes", standing, s.store.version-before)
	}
	if wait := standing.Until.Sub(s.clock); wait < time.Minute || wait > 90*time.Second {
		t.Errorf("it comes back after %s", wait)
	}
	s.clock = standing.Until
	d.wait = 0
	if standing = keep(); standing.Held || !standing.Refreshed || d.in != 0 || len(d.left) != 1 || d.left[0].Outcome != connector.Granted {
		t.Errorf("then it is asked: %+v, left with %v", standing, d.left)
	}
	if keep(); len(d.left) != 1 {
		t.Error("it enters only where something is due")
	}
}

// TestWhoeverEntersLeaves, also where nothing was asked in the end.
func TestWhoeverEntersLeaves(t *testing.T) {
	s, d := newScene(t, providers()[3]), &door{}
	dying := &mortal{Store: s.store, grant: s.grant(), at: 1, before: true}
	grant := s.grant()
	grant.Enter = d.enter
	if _, err := s.keeper("replica-0", dying).Keep(t.Context(), grant); err == nil {
		t.Fatal("the intent was written")
	}
	if d.in != 0 || len(d.left) != 1 || d.left[0] != nil {
		t.Errorf("%d are in, left with %v", d.in, d.left)
	}
}

// TestAnOrphanIsRecoveredInTurn: what a replica has seen of another's intent it does not forget while it waits.
func TestAnOrphanIsRecoveredInTurn(t *testing.T) {
	s, d := newScene(t, providers()[0]), &door{}
	dying := &mortal{Store: s.store, grant: s.grant(), at: 2, before: true}
	grant := s.grant()
	grant.Refresh = dying.refresh
	_, _ = s.keeper("replica-1", dying).Keep(t.Context(), grant)

	keeper := s.keeper("replica-0", s.store)
	grant = s.grant()
	grant.Enter = d.enter
	look := func() connector.Standing {
		standing, err := keeper.Keep(t.Context(), grant)
		if err != nil {
			t.Fatal(err)
		}
		return standing
	}
	s.clock = look().Until
	d.wait = time.Minute
	standing := look()
	if !standing.Held || !standing.OutcomeUnknown {
		t.Errorf("got %+v", standing)
	}
	s.clock = standing.Until
	d.wait = 0
	if standing = look(); !standing.Refreshed {
		t.Errorf("got %+v", standing)
	}
}

func TestAtRisk(t *testing.T) {
	record := first().record
	life := record.ExpiresAt.Sub(record.IssuedAt)
	for _, row := range []struct {
		name  string
		after time.Duration
		want  bool
	}{
		{"a new one", 0, false},
		{"one that is due", life * 2 / 3, false},
		{"one with an eighth left", life - life/8, false},
		{"one with less", life - life/8 + 1, true},
		{"one that is over", life, true},
	} {
		if got := record.AtRisk(record.IssuedAt.Add(row.after)); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
	if !(connector.Record{}).AtRisk(epoch) {
		t.Error("none at all is none to be relied on")
	}
}
