// SPDX-License-Identifier: Apache-2.0

//go:build unix

package connections

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/provider"
)

// passage is one connection that is held up at one point while its process dies or sleeps.
type passage struct {
	*linked
	point point
}

// unsure says that the refresh token had been sent, and that nobody had written down what came of it.
func (p *passage) unsure() bool {
	return p.point.step == request || p.point == point{commit, false}
}

// spent says that the provider takes each refresh token once, so that a new one has no second copy.
func (p *passage) spent() bool { return p.really == provider.Strict || p.really == provider.SingleUse }

// end is what becomes of a grant.
type end int

const (
	// lives: it has new tokens, in every case.
	lives end = iota
	// lost: the one copy of the new refresh token died with the process.
	lost
	// either: the process wakes up with an answer under way, and may have slept for longer than it waits for one.
	either
)

// ofDeath is what becomes of a grant whose process has died: it is lost where the provider had replaced the refresh token, and nobody had
// written down what by.
func ofDeath(p *passage) end {
	if p.unsure() && p.spent() {
		return lost
	}
	return lives
}

// ofSleep is what becomes of one whose process has only slept. Tokens in hand it writes down, whoever has come to a verdict meanwhile. A
// request that had not got there when another presented the token, to a provider that forgets nothing but ends nothing, is the one that is
// refused.
func ofSleep(p *passage) end {
	if p.point.step == request && p.spent() && (p.point.done || p.really == provider.Strict) {
		return either
	}
	return lives
}

// fate is what happens to a process, and who goes on.
type fate struct {
	name string
	// before starts who else is there when it happens, happens has it happen, and after starts who goes on.
	before func(*harness.Clock)
	happen func(*gate, *child)
	after  func(*harness.Clock)
	// resumes has the process go on again when another has had time to take over. Nil: it is dead.
	resumes func(*gate, *child, *harness.Clock)
	// ends says what becomes of a grant by it.
	ends func(*passage) end
}

func nobody(*harness.Clock) {}

// replica starts a manager of this process, which stays.
func replica(name string) func(*harness.Clock) {
	return func(clock *harness.Clock) {
		plane.StartManagerWith(func(o *app.ManagerOptions) { reaching(clock)(o); o.ReplicaName = name })
	}
}

func dies(g *gate, process *child) {
	g.doom() // before its connections break, or what it had not sent to the end would arrive, or not
	process.Kill()
	g.open()
}

func fates() []fate {
	return []fate{
		{name: "dies and is started again", before: nobody, happen: dies, after: replica("replica-0"), ends: ofDeath},
		{name: "dies beside another", before: replica("replica-1"), happen: dies, after: nobody, ends: ofDeath},
		{
			name: "sleeps until another has taken over", before: replica("replica-1"), after: nobody, ends: ofSleep,
			happen: func(_ *gate, process *child) {
				GinkgoHelper()
				process.Signal(syscall.SIGSTOP)
			},
			resumes: func(g *gate, process *child, clock *harness.Clock) {
				GinkgoHelper()
				process.tell(clock)
				process.Signal(syscall.SIGCONT)
				g.open()
			},
		},
	}
}

// A process is held up at a point of one refresh in sixteen of its workers: with four kinds of providers that is at four points. Then it dies, or sleeps, in all of them at once.
var _ = Describe("a manager that is a process", func() {
	const together = 4
	for _, fate := range fates() {
		for some := range slices.Chunk(points(), together) {
			It(fmt.Sprintf("%s, %s", fate.name, some), func(ctx context.Context) { survive(ctx, fate, some) })
		}
	}
})

func survive(ctx context.Context, fate fate, at []point) {
	GinkgoHelper()
	clock, gate := &harness.Clock{}, startGate()
	first := plane.StartManagerWith(reaching(clock))
	var passages []*passage
	var all []*linked
	namespace := home(ctx)
	for _, point := range at {
		for _, kind := range kinds {
			made := &passage{link(ctx, namespace, kind, clock, func(*provider.Options, *v1alpha1.ConnectorSpec) {}), point}
			made.once()
			passages, all = append(passages, made), append(all, made.linked)
		}
	}
	for _, passage := range passages {
		Eventually(func() bool { return ready(passage.look(ctx)) }).Should(BeTrue(), "what was imported is live")
		gate.hold(passage.linked, passage.point)
	}
	Expect(first.Stop()).To(Succeed())

	clock.Advance(7 * time.Minute)
	process := startChild(gate.URL, "replica-0", clock)
	Eventually(gate.missing).Should(BeEmpty(), "every refresh comes to its point")
	fate.before(clock)
	fate.happen(gate, process)
	fate.after(clock)

	// Long enough to take over from another, and not until the access token is about to expire.
	for _, leap := range []time.Duration{70 * time.Second, 35 * time.Second} {
		later(ctx, clock, leap, all...)
		expectAll(ctx, passages)
	}
	if fate.resumes != nil {
		fate.resumes(gate, process, clock)
		for _, passage := range passages {
			Eventually(func() bool { return settled(ctx, passage.linked) }).Should(BeTrue(), "%s with a provider that %s", passage.point, passage.name)
		}
	}
	// Until it has expired, and a little longer.
	for _, leap := range []time.Duration{2 * time.Minute, 10 * time.Second} {
		later(ctx, clock, leap, all...)
		expectAll(ctx, passages)
	}
	for _, passage := range passages {
		By(fmt.Sprintf("a provider that %s, %s", passage.name, passage.point))
		passage.expectEnd(ctx, fate)
	}
}

// expectEnd: the grant is lost where that cannot be helped, and nowhere else, and its refresh token was not presented without need.
func (p *passage) expectEnd(ctx context.Context, by fate) {
	GinkgoHelper()
	what := by.ends(p)
	if what == lost || what == either && recordOf(ctx, p.object).Reauthorize != nil {
		p.expectLost(ctx)
	} else {
		p.expectHealthy(ctx)
	}
	times := p.presented()
	Expect(times).To(HaveLen(1), "one refresh was due")
	for token, times := range times {
		switch {
		case !p.unsure():
			Expect(times).To(Equal(1), "%s: what has come of it was never in doubt", token)
		case by.resumes == nil:
			Expect(times).To(Equal(2), "%s: it is presented again, for nobody knew what had come of it, and that once", token)
		}
	}
}

func expectAll(ctx context.Context, passages []*passage) {
	GinkgoHelper()
	for _, passage := range passages {
		passage.expectPromises(ctx, passage.unsure())
		passage.expectPresentedTwice()
	}
}

// settled reports whether nobody is at a grant any more that somebody was at.
func settled(ctx context.Context, of *linked) bool {
	GinkgoHelper()
	record := recordOf(ctx, of.object)
	return record.Generation > 1 && record.Intent == nil
}
