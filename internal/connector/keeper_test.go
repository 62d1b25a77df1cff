// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/oauth"
)

// store keeps one record in memory, as an API server does: under a version, and encoded.
type store struct {
	mutex   sync.Mutex
	text    []byte
	version int
	gone    bool
}

func (s *store) Read(context.Context, string) (connector.Record, connector.Version, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.gone {
		return connector.Record{}, "", connector.ErrGone
	}
	record, err := connector.Decode(s.text)
	return record, connector.Version(strconv.Itoa(s.version)), err
}

func (s *store) Write(_ context.Context, _ string, record connector.Record, over connector.Version) (connector.Version, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	switch {
	case s.gone:
		return "", connector.ErrGone
	case over != connector.Version(strconv.Itoa(s.version)):
		return "", connector.ErrConflict
	}
	text, err := record.Encode()
	s.text, s.version = text, s.version+1
	return connector.Version(strconv.Itoa(s.version)), err
}

// provider gives tokens, and takes each refresh token as its kind does. Its clock is that of the test.
type provider struct {
	kind     providerKind
	now      func() time.Time
	live     int
	usedAt   time.Time
	ended    bool
	accepted []string
	// next is what it answers next, in place of what it would, and lose that it does what it is asked for and the answer is lost.
	next *connector.Answer
	lose bool
}

func (p *provider) refresh(_ context.Context, record connector.Record) connector.Answer {
	if next := p.next; next != nil {
		p.next = nil
		return *next
	}
	answer := p.answer(record.RefreshToken.Reveal())
	if p.lose {
		p.lose = false
		return connector.Answer{Outcome: connector.Unclear, Why: "no answer in time"}
	}
	return answer
}

func (p *provider) answer(token string) connector.Answer {
	granted := func() connector.Answer {
		p.accepted = append(p.accepted, token)
		tokens := connector.Tokens{Access: oauth.NewSecret(fmt.Sprintf("a%d", len(p.accepted))), Type: "Bearer", Lifetime: lifetime}
		if p.kind.rotates {
			tokens.Refresh = refreshToken(p.live)
		}
		return connector.Answer{Outcome: connector.Granted, Tokens: tokens}
	}
	switch {
	case p.ended:
	case !p.kind.rotates:
		return granted()
	case token == refreshToken(p.live).Reveal():
		p.live, p.usedAt = p.live+1, p.now()
		return granted()
	case p.kind.forgives && token == refreshToken(p.live-1).Reveal() && p.now().Sub(p.usedAt) < grace:
		return granted()
	default:
		p.ended = p.kind.revokes
	}
	return connector.Answer{Outcome: connector.GrantRefused, Code: oauth.CodeInvalidGrant, Why: "invalid_grant"}
}

func (p *provider) takes(record connector.Record) bool {
	return !p.ended && (!p.kind.rotates || record.RefreshToken.Reveal() == refreshToken(p.live).Reveal())
}

// scene is a grant that is due, its provider, and a clock.
type scene struct {
	t        *testing.T
	store    *store
	provider *provider
	clock    time.Time
	attempts int
}

func newScene(t *testing.T, kind providerKind) *scene {
	t.Helper()
	s := &scene{t: t, store: &store{}, clock: epoch.Add(7 * time.Minute)}
	s.provider = &provider{kind: kind, now: s.now}
	text, err := first().record.Encode()
	if err != nil {
		t.Fatal(err)
	}
	s.store.text = text
	return s
}

func (s *scene) now() time.Time { return s.clock }

func (s *scene) keeper(self string, through connector.Store) *connector.Keeper {
	return &connector.Keeper{Store: through, Self: self, Now: s.now, NewAttempt: func() string {
		s.attempts++
		return fmt.Sprintf("attempt-%d", s.attempts)
	}}
}

func (s *scene) grant() connector.Grant {
	return connector.Grant{
		Name: "acme/crm", Behaviour: s.provider.kind.behaviour(), Client: "client", Configuration: "configuration", Refresh: s.provider.refresh,
	}
}

// keep looks at the grant until there is nothing to do.
func (s *scene) keep(k *connector.Keeper) connector.Standing {
	s.t.Helper()
	standing, err := k.Keep(s.t.Context(), s.grant())
	if err != nil {
		s.t.Fatal(err)
	}
	return standing
}

// goOn has a keeper look whenever it wants to, until the grant has new tokens or is dead, or an hour has passed.
func (s *scene) goOn(k *connector.Keeper) connector.Standing {
	s.t.Helper()
	end := s.clock.Add(time.Hour)
	for {
		standing := s.keep(k)
		if standing.Record.Generation > 1 && standing.Record.Intent == nil || standing.Record.Reauthorize != nil || s.clock.After(end) {
			return standing
		}
		if !standing.Until.After(s.clock) {
			s.clock = s.clock.Add(time.Minute)
		} else {
			s.clock = standing.Until
		}
	}
}

// errDead is what a process gets that is dead.
var errDead = errors.New("this process is dead")

// mortal is what a process reaches until it dies: at its so many-th deed, before or after.
type mortal struct {
	connector.Store
	grant  connector.Grant
	at     int
	before bool
	deeds  int
	dead   bool
}

// does counts a deed and reports whether it happens, and whether anything comes back of it.
func (m *mortal) does() (happens, returns bool) {
	if m.dead {
		return false, false
	}
	m.deeds++
	m.dead = m.deeds == m.at
	return !m.dead || !m.before, !m.dead
}

func (m *mortal) Read(ctx context.Context, name string) (connector.Record, connector.Version, error) {
	if m.dead {
		return connector.Record{}, "", errDead
	}
	return m.Store.Read(ctx, name)
}

func (m *mortal) Write(ctx context.Context, name string, record connector.Record, over connector.Version) (version connector.Version, err error) {
	happens, returns := m.does()
	if happens {
		version, err = m.Store.Write(ctx, name, record, over)
	}
	if !returns {
		return "", errDead
	}
	return version, err
}

func (m *mortal) refresh(ctx context.Context, record connector.Record) (answer connector.Answer) {
	happens, _ := m.does()
	if happens {
		answer = m.grant.Refresh(ctx, record)
	}
	return answer
}

// TestCrashTable: the process dies before and after its intent, its request and its commit, and another goes on: the same replica
// after a restart, or another one.
func TestCrashTable(t *testing.T) {
	const deeds = 3 // intent, request, commit
	for _, kind := range providers() {
		for _, successor := range []string{"replica-0", "replica-1"} {
			for at := 1; at <= deeds; at++ {
				for _, before := range []bool{true, false} {
					t.Run(fmt.Sprintf("a provider that %s, dies at deed %d, before it %v, then %s", kind.name, at, before, successor), func(t *testing.T) {
						s := newScene(t, kind)
						dying := &mortal{Store: s.store, grant: s.grant(), at: at, before: before}
						grant := s.grant()
						grant.Refresh = dying.refresh
						_, err := s.keeper("replica-0", dying).Keep(t.Context(), grant)
						if !errors.Is(err, errDead) {
							t.Fatalf("it lives: %v", err)
						}
						standing := s.goOn(s.keeper(successor, s.store))
						s.check(standing, at, before)
					})
				}
			}
		}
	}
}

// check: a grant is lost only where the provider had replaced the refresh token and the process died with the new one in hand.
func (s *scene) check(standing connector.Standing, at int, before bool) {
	s.t.Helper()
	kind := s.provider.kind
	inHand := at == 2 && !before || at == 3 && before
	lost := standing.Record.Reauthorize != nil
	if lost == s.provider.takes(standing.Record) {
		s.t.Errorf("a user must sign in again: %v, and the refresh token is good: %v", lost, !lost)
	}
	switch {
	case !lost && !standing.Record.Live(s.clock):
		s.t.Error("the access token is dead")
	case lost && (!inHand || !kind.rotates):
		s.t.Error("nothing had to be lost here")
	}
	if twice := slices.Contains(s.provider.accepted[min(1, len(s.provider.accepted)):], "r0"); twice && !inHand {
		s.t.Error("the refresh token was presented twice")
	}
}

func TestKeeper(t *testing.T) {
	strict, none := providers()[3], providers()[0]
	answer := func(answer connector.Answer) func(*scene) { return func(s *scene) { s.provider.next = &answer } }
	for _, row := range []struct {
		name  string
		kind  providerKind
		given func(*scene)
		// first is what the first look comes to, and last what is there in the end.
		first func(connector.Standing) bool
		last  func(connector.Standing) bool
	}{
		{
			name: "a token that is due is refreshed, and nothing is done after", kind: strict, given: func(*scene) {},
			first: func(s connector.Standing) bool { return s.Refreshed && s.Record.Generation == 2 && !s.Until.IsZero() },
			last:  func(s connector.Standing) bool { return s.Record.Generation == 2 },
		},
		{
			name: "a request that was not sent is made again later, with the same token", kind: strict,
			given: answer(connector.Answer{Outcome: connector.NotSent, Why: "no such host"}),
			first: func(s connector.Standing) bool { return s.Failures == 1 && s.Failure != nil && s.Record.Intent == nil },
			last:  func(s connector.Standing) bool { return s.Record.Generation == 2 && s.Failure == nil },
		},
		{
			name: "a provider that is busy is left alone for as long as it asks for", kind: strict,
			given: answer(connector.Answer{Outcome: connector.Busy, RetryAfter: 2 * time.Minute, Why: "429"}),
			first: func(s connector.Standing) bool { return s.Until.Equal(epoch.Add(9 * time.Minute)) },
			last:  func(s connector.Standing) bool { return s.Record.Generation == 2 },
		},
		{
			name: "a client that is refused keeps its grant, and nothing is asked any more", kind: strict,
			given: answer(connector.Answer{Outcome: connector.ClientRefused, Code: "invalid_client"}),
			first: func(s connector.Standing) bool { return s.Record.Misconfigured != nil && s.Until.IsZero() },
			last: func(s connector.Standing) bool {
				return s.Record.Misconfigured != nil && s.Record.RefreshToken.Reveal() == "r0" && s.Record.Reauthorize == nil
			},
		},
		{
			name: "a grant that is refused needs a user, and its access token lives on", kind: strict,
			given: func(s *scene) { s.provider.ended = true },
			first: func(s connector.Standing) bool {
				return s.Record.Reauthorize != nil && s.Record.Reauthorize.Reason == "invalid_grant" && s.Record.Live(epoch.Add(8*time.Minute))
			},
			last: func(s connector.Standing) bool { return s.Record.Reauthorize != nil },
		},
		{
			name: "an answer that was lost waits for the end of the access token, where the question could kill it", kind: strict,
			given: func(s *scene) { s.provider.lose = true },
			first: func(s connector.Standing) bool {
				return s.OutcomeUnknown && s.Until.Equal(epoch.Add(lifetime-30*time.Second)) && s.Record.Intent != nil
			},
			last: func(s connector.Standing) bool { return s.Record.Reauthorize != nil },
		},
		{
			name: "an answer that was lost is asked for again soon, where nothing can be lost", kind: none,
			given: func(s *scene) { s.provider.lose = true },
			first: func(s connector.Standing) bool { return s.OutcomeUnknown && s.Until.Before(epoch.Add(8*time.Minute)) },
			last:  func(s connector.Standing) bool { return s.Record.Generation == 2 },
		},
		{
			name: "another client's grant is not presented", kind: strict,
			given: func(s *scene) {
				record := first().record
				record.ClientFingerprint = "another"
				s.store.text, _ = record.Encode()
			},
			first: func(s connector.Standing) bool { return s.ClientChanged && s.Record.Intent == nil },
			last:  func(s connector.Standing) bool { return s.ClientChanged && s.Record.Reauthorize == nil },
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t, row.kind)
			row.given(s)
			keeper := s.keeper("replica-0", s.store)
			if first := s.keep(keeper); !row.first(first) {
				t.Errorf("at first: %+v", first)
			}
			if last := s.goOn(keeper); !row.last(last) {
				t.Errorf("in the end: %+v, %+v", last, last.Record.Reauthorize)
			}
		})
	}
}

// flaky fails so many writes, of which the first has arrived or not.
type flaky struct {
	connector.Store
	failures int
	arrives  bool
}

func (f *flaky) Write(ctx context.Context, name string, record connector.Record, over connector.Version) (connector.Version, error) {
	if f.failures > 0 && record.Generation == 2 {
		f.failures--
		if f.arrives {
			f.arrives = false
			_, _ = f.Store.Write(ctx, name, record, over)
		}
		return "", errors.New("the API server is away")
	}
	return f.Store.Write(ctx, name, record, over)
}

// TestTokensInHand are written down when the API server is back, however long that takes, and asked for once.
func TestTokensInHand(t *testing.T) {
	for _, arrives := range []bool{false, true} {
		t.Run(fmt.Sprintf("and the first write has arrived: %v", arrives), func(t *testing.T) {
			s := newScene(t, providers()[3])
			keeper := s.keeper("replica-0", &flaky{Store: s.store, failures: 5, arrives: arrives})
			failed := 0
			for ; failed < 10; failed++ {
				if _, err := keeper.Keep(t.Context(), s.grant()); err == nil {
					break
				}
				s.clock = s.clock.Add(time.Minute)
			}
			record, _, err := s.store.Read(t.Context(), "")
			if err != nil || record.Generation != 2 || record.RefreshToken.Reveal() != "r1" || len(s.provider.accepted) != 1 {
				t.Errorf("generation %d, accepted %v, %v", record.Generation, s.provider.accepted, err)
			}
			if want := map[bool]int{false: 5, true: 1}[arrives]; failed != want {
				t.Errorf("it failed %d times, want %d", failed, want)
			}
			if !record.IssuedAt.Equal(epoch.Add(7 * time.Minute)) {
				t.Errorf("the token was issued at %s: that is when it came, and not when it was written down", record.IssuedAt)
			}
		})
	}
}

// TestAProcessThatIsToEnd writes down the answer that it has waited for.
func TestAProcessThatIsToEnd(t *testing.T) {
	s := newScene(t, providers()[3])
	ctx, cancel := context.WithCancel(t.Context())
	grant := s.grant()
	grant.Refresh = func(ctx context.Context, record connector.Record) connector.Answer {
		cancel()
		return s.provider.refresh(ctx, record)
	}
	if standing, err := s.keeper("replica-0", s.store).Keep(ctx, grant); err != nil || !standing.Refreshed {
		t.Errorf("got %+v, %v", standing, err)
	}
}

// TestAConnectionThatWasDeleted while its tokens were on their way: nobody will ever have them, and the provider is told.
func TestAConnectionThatWasDeleted(t *testing.T) {
	s := newScene(t, providers()[3])
	var revoked []string
	grant := s.grant()
	grant.Refresh = func(ctx context.Context, record connector.Record) connector.Answer {
		s.store.gone = true
		return s.provider.refresh(ctx, record)
	}
	grant.Revoke = func(_ context.Context, tokens connector.Tokens) { revoked = append(revoked, tokens.Refresh.Reveal()) }
	keeper := s.keeper("replica-0", s.store)
	for range 2 {
		if _, err := keeper.Keep(t.Context(), grant); !errors.Is(err, connector.ErrGone) {
			t.Errorf("got %v", err)
		}
	}
	if !slices.Equal(revoked, []string{"r1"}) {
		t.Errorf("revoked %v", revoked)
	}
}

// TestTwoReplicas that look at the same time, a thousand times: the refresh token is presented once each time.
func TestTwoReplicas(t *testing.T) {
	for range 1000 {
		s := newScene(t, providers()[3])
		var requests sync.Mutex
		var attempts int
		var replicas sync.WaitGroup
		for i := range 2 {
			keeper := &connector.Keeper{Store: s.store, Self: fmt.Sprintf("replica-%d", i), Now: s.now, NewAttempt: func() string {
				requests.Lock()
				defer requests.Unlock()
				attempts++
				return fmt.Sprint(attempts)
			}}
			grant := s.grant()
			grant.Refresh = func(ctx context.Context, record connector.Record) connector.Answer {
				requests.Lock()
				defer requests.Unlock()
				return s.provider.refresh(ctx, record)
			}
			replicas.Go(func() {
				if _, err := keeper.Keep(t.Context(), grant); err != nil {
					t.Error(err)
				}
			})
		}
		replicas.Wait()
		if len(s.provider.accepted) != 1 || s.provider.ended {
			t.Fatalf("presented %v, ended %v", s.provider.accepted, s.provider.ended)
		}
	}
}
