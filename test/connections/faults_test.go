// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/provider"
)

// respite is how long a provider asks to be left alone.
const respite = 90 * time.Second

// mishap is something that goes wrong with one refresh.
type mishap struct {
	provider.Fault
	// says is what condition RefreshHealthy has for a reason meanwhile, one of these, and tells is in its message. None: nothing is wrong.
	says  []string
	tells string
	// asked is how many requests the provider hears of until all is over.
	asked int
	// setup is what the provider and its Connector agree on from the beginning.
	setup func(*provider.Options, *v1alpha1.ConnectorSpec)
	// rests says that nothing is asked before the provider wants it; corrected that nothing is until the client is put right.
	rests, corrected bool
}

// mishaps are all that can go wrong. released ends the wait of the one that takes its time, and elsewhere is where nobody must go.
func mishaps(released <-chan struct{}, elsewhere string) []mishap {
	failing, misconfigured, unclear := []string{v1alpha1.ReasonRefreshFailing}, []string{v1alpha1.ReasonMisconfigured}, []string{v1alpha1.ReasonRefreshOutcomeUnknown}
	const unheard = "no answer came"
	return []mishap{
		{Fault: provider.FailsBefore(), says: unclear, tells: unheard, asked: 2},
		{Fault: provider.FailsAfter(), says: unclear, tells: unheard, asked: 2},
		{Fault: provider.Truncates(), says: unclear, tells: unheard, asked: 2},
		{Fault: provider.Garbles(), says: unclear, tells: unheard, asked: 2},
		{Fault: provider.Stalls(), says: unclear, tells: unheard, asked: 2},
		{Fault: provider.Waits(released), asked: 1},
		{Fault: provider.ResetsUnread(), says: slices.Concat(unclear, failing), asked: 1}, // its client may have written or not
		{Fault: provider.ResetsBefore(), says: unclear, tells: unheard, asked: 2},
		{Fault: provider.ResetsAfter(), says: unclear, tells: unheard, asked: 2},
		{Fault: provider.Redirects(elsewhere), says: unclear, tells: unheard, asked: 2},
		{Fault: provider.Refuses("server_error"), says: unclear, tells: unheard, asked: 2},
		{Fault: provider.OmitsExpiresIn(), asked: 1},
		{Fault: provider.AnswersForm(), asked: 1},
		{Fault: provider.Nests("authed_user.tokens"), asked: 1, setup: func(o *provider.Options, c *v1alpha1.ConnectorSpec) {
			o.ResponsePath, c.TokenResponsePath = "authed_user.tokens", "authed_user.tokens"
		}},
		{Fault: provider.TooMany(respite), says: failing, tells: "too many requests", asked: 2, rests: true},
		{Fault: provider.Unavailable(respite), says: failing, tells: "it can do nothing now", asked: 2, rests: true},
		{Fault: provider.RefusesClient(), says: misconfigured, tells: "invalid_client", asked: 2, corrected: true},
		{Fault: provider.Refuses("invalid_scope"), says: misconfigured, tells: "invalid_scope", asked: 2, corrected: true},
		{Fault: provider.EndsGrant(), asked: 1},
	}
}

// trial is a mishap with a provider of one kind.
type trial struct {
	mishap
	*linked
	// imported is the access token that was there before.
	imported string
}

func (t *trial) name() string {
	return fmt.Sprintf("from a provider that %s, and %s", t.Name, t.kind.name)
}

// unheard says that the provider has done what it was asked for, and nobody heard of it.
func (t *trial) unheard() bool { return t.Consumes && !t.Delivers }

// loses says that the grant is dead in the end.
func (t *trial) loses() bool {
	return t.Ends || t.unheard() && (t.really == provider.Strict || t.really == provider.SingleUse)
}

// told reports whether the mishap has happened, and whose connection it is was told.
func (t *trial) told(ctx context.Context, by *history) bool {
	GinkgoHelper()
	if t.Ends {
		return reason(t.look(ctx), v1alpha1.ConditionAuthorized) == v1alpha1.ReasonReauthorizationRequired
	}
	if len(t.says) == 0 {
		return settled(ctx, t.linked)
	}
	return slices.ContainsFunc(by.of(t.object.Name), func(told telling) bool {
		return slices.Contains(t.says, told.Reason) && strings.Contains(told.Message, t.tells)
	})
}

// expectPublished: the Secret has a token that is as good as any: the new one where it has come, and else the one that was there before.
func (t *trial) expectPublished(ctx context.Context) {
	GinkgoHelper()
	if len(t.says) == 0 && !t.Ends {
		Eventually(func() bool { return published(ctx, t.object) != t.imported }).Should(BeTrue(), "%s: the new token is published", t.name())
	}
	if t.Ends {
		Expect(published(ctx, t.object) == t.imported).To(BeTrue(), "%s: what was published is left alone", t.name())
	} else {
		Expect(t.provider.AccessLive(published(ctx, t.object))).To(BeTrue(), "%s: what is published is live", t.name())
	}
	Expect(reason(t.look(ctx), v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonConnected), "%s: it is good until it expires", t.name())
}

// expectAsked: the provider has heard of as many requests as the mishap asks for, and none came sooner than it wanted.
func (t *trial) expectAsked() {
	GinkgoHelper()
	presented := t.provider.Presentations()
	Expect(presented).To(HaveLen(t.asked))
	Expect(t.provider.Requests()).To(HaveLen(t.asked), "and nothing else was asked")
	if t.rests {
		Expect(presented[1].At.Sub(presented[0].At)).To(BeNumerically(">=", respite), "it is left alone for as long as it asks for")
	}
	if t.unheard() && t.really != provider.Keeps {
		Expect(t.provider.PresentedAgain()).To(HaveLen(1), "it may have been used, so it is presented once more")
	}
}

// ordeal is all trials at once, and what leads through them.
type ordeal struct {
	clock     *harness.Clock
	history   *history
	released  chan struct{}
	elsewhere *provider.Provider
	trials    []*trial
	all       []*linked
}

// begin connects all of them, and has each provider ready to go wrong.
func (o *ordeal) begin(ctx context.Context) {
	GinkgoHelper()
	plane.StartManagerWith(reaching(o.clock))
	o.elsewhere = provider.Start(provider.Options{})
	DeferCleanup(o.elsewhere.Close)
	namespace := home(ctx)
	o.history.follow(namespace)
	for _, mishap := range mishaps(o.released, o.elsewhere.URL+provider.PathToken) {
		for _, kind := range kinds {
			made := &trial{mishap: mishap, linked: link(ctx, namespace, kind, o.clock, func(options *provider.Options, spec *v1alpha1.ConnectorSpec) {
				spec.Refresh.AssumedLifetime = &metav1.Duration{Duration: 24 * time.Hour}
				if mishap.setup != nil {
					mishap.setup(options, spec)
				}
			})}
			made.once()
			o.trials, o.all = append(o.trials, made), append(o.all, made.linked)
		}
	}
	for _, trial := range o.trials {
		Eventually(func() bool { return ready(trial.look(ctx)) }).Should(BeTrue(), "what was imported is live")
		Expect(trial.provider.Presentations()).To(BeEmpty(), "nothing is due")
		trial.imported = published(ctx, trial.object)
		trial.provider.Fail(trial.Fault)
	}
}

// goWrong has all refreshes go wrong, until everybody was told.
func (o *ordeal) goWrong(ctx context.Context) {
	GinkgoHelper()
	o.history.forget()
	o.clock.Advance(7 * time.Minute)
	o.takeTime(ctx)
	for _, each := range o.all {
		nudge(ctx, each.object)
	}
	for _, trial := range o.trials {
		Eventually(func() bool { return trial.told(ctx, o.history) }).Should(BeTrue(), "%s: it says %s: %s, and has said %s",
			trial.name(), trial.says, trial.tells, o.history.of(trial.object.Name))
		trial.expectPromises(ctx, trial.unheard())
		trial.expectPublished(ctx)
	}
}

// takeTime has those refreshed alone whose provider takes its time: nobody waits for it for long.
func (o *ordeal) takeTime(ctx context.Context) {
	GinkgoHelper()
	slow := slices.DeleteFunc(slices.Clone(o.trials), func(t *trial) bool { return t.Name != provider.Waits(nil).Name })
	for _, trial := range slow {
		nudge(ctx, trial.object)
	}
	for _, trial := range slow {
		Eventually(trial.provider.Accepted).Should(Equal(1), "it has done what it was asked for")
		Expect(recordOf(ctx, trial.object).Generation).To(BeEquivalentTo(1), "and has not answered yet")
	}
	close(o.released)
	for _, trial := range slow {
		Eventually(func() bool { return settled(ctx, trial.linked) }).Should(BeTrue(), "what it answers at last is written down")
	}
}

// goOn lets time pass until each has come to its end: soon, when the respite is over, and when the first access token has expired.
func (o *ordeal) goOn(ctx context.Context) {
	GinkgoHelper()
	for _, leap := range []time.Duration{10 * time.Second, respite, 2 * time.Minute} {
		later(ctx, o.clock, leap, o.all...)
		for _, trial := range o.trials {
			trial.expectPromises(ctx, trial.unheard())
			trial.expectPresentedTwice()
		}
	}
	for _, trial := range o.trials {
		if trial.corrected {
			trial.correct(ctx)
		}
	}
	later(ctx, o.clock, time.Minute, o.all...)
}

// All of them are connected at once, and one clock leads through their lives: the import, a refresh that goes wrong, and a quarter of
// an hour until each has come to its end. Then each is looked at.
var _ = Describe("a refresh", Ordered, func() {
	ordeal := &ordeal{clock: &harness.Clock{}, history: &history{}, released: make(chan struct{})}
	// The rows are needed before there is anything to put into them.
	rows := mishaps(ordeal.released, "")

	BeforeAll(func(ctx context.Context) {
		ordeal.begin(ctx)
		ordeal.goWrong(ctx)
		ordeal.goOn(ctx)
	})

	for i, mishap := range rows {
		for j, kind := range kinds {
			It((&trial{mishap: mishap, linked: &linked{kind: kind}}).name(), func(ctx context.Context) {
				trial := ordeal.trials[i*len(kinds)+j]
				trial.expectPromises(ctx, trial.unheard())
				if trial.loses() {
					trial.expectLost(ctx)
				} else {
					trial.expectHealthy(ctx)
				}
				trial.expectAsked()
				if len(trial.says) == 0 && !trial.Ends {
					for _, told := range ordeal.history.of(trial.object.Name) {
						Expect(told.Reason).To(Equal(v1alpha1.ReasonRefreshed), "nothing was wrong: %s", told.Message)
					}
				}
			})
		}
	}

	It("follows no redirect", func() { Expect(ordeal.elsewhere.Requests()).To(BeEmpty()) })
})

// correct puts the client right: with the secret that the provider has for it from now on.
func (l *linked) correct(ctx context.Context) {
	GinkgoHelper()
	Expect(len(l.provider.Presentations())).To(Equal(1), "a client that is refused is not tried again as it is")
	const another = "another-secret-of-our-app-registration"
	l.provider.Change(func(o *provider.Options) { o.ClientSecret = another })
	mine := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: l.object.Namespace, Name: l.object.Name + "-mine"}}
	harness.Patch(ctx, plane, mine, func(s *corev1.Secret) { s.Data["secret"] = []byte(another) })
}
