// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"fmt"
	"slices"
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
	// says is what condition RefreshHealthy has for a reason meanwhile, one of these.
	says []string
	// setup is what the provider and its Connector agree on from the beginning.
	setup func(*provider.Options, *v1alpha1.ConnectorSpec)
	// rests says that nothing is asked before the provider wants it; corrected that nothing is until the client is put right.
	rests, corrected bool
}

var unclear = []string{v1alpha1.ReasonRefreshOutcomeUnknown}

// mishaps are all that can go wrong. released ends the wait of the one that takes its time, and elsewhere is where nobody must go.
func mishaps(released <-chan struct{}, elsewhere string) []mishap {
	failing, misconfigured, fine := []string{v1alpha1.ReasonRefreshFailing}, []string{v1alpha1.ReasonMisconfigured}, []string{v1alpha1.ReasonRefreshed}
	return []mishap{
		{Fault: provider.FailsBefore(), says: unclear},
		{Fault: provider.FailsAfter(), says: unclear},
		{Fault: provider.Truncates(), says: unclear},
		{Fault: provider.Garbles(), says: unclear},
		{Fault: provider.Stalls(), says: unclear},
		{Fault: provider.Waits(released), says: fine},
		{Fault: provider.ResetsUnread(), says: slices.Concat(unclear, failing)}, // its client may have written or not
		{Fault: provider.ResetsBefore(), says: unclear},
		{Fault: provider.ResetsAfter(), says: unclear},
		{Fault: provider.Redirects(elsewhere), says: unclear},
		{Fault: provider.Refuses("server_error"), says: unclear},
		{Fault: provider.OmitsExpiresIn(), says: fine},
		{Fault: provider.AnswersForm(), says: fine},
		{Fault: provider.Nests("authed_user.tokens"), says: fine, setup: func(o *provider.Options, c *v1alpha1.ConnectorSpec) {
			o.ResponsePath, c.TokenResponsePath = "authed_user.tokens", "authed_user.tokens"
		}},
		{Fault: provider.TooMany(respite), says: failing, rests: true},
		{Fault: provider.Unavailable(respite), says: failing, rests: true},
		{Fault: provider.RefusesClient(), says: misconfigured, corrected: true},
		{Fault: provider.Refuses("invalid_scope"), says: misconfigured, corrected: true},
		{Fault: provider.EndsGrant(), says: []string{v1alpha1.ReasonNotAttempted}},
	}
}

// trial is a mishap with a provider of one kind.
type trial struct {
	mishap
	*linked
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

// All of them are connected at once, and one clock leads through their lives: the import, a refresh that goes wrong, and a quarter of
// an hour until each has come to its end. Then each is looked at.
var _ = Describe("a refresh", Ordered, func() {
	clock := &harness.Clock{}
	released := make(chan struct{})
	history := &history{}
	var trials []*trial
	var elsewhere *provider.Provider
	// The rows are needed before there is anything to put into them.
	rows := mishaps(released, "")

	BeforeAll(func(ctx context.Context) {
		plane.StartManagerWith(reaching(clock))
		elsewhere = provider.Start(provider.Options{})
		DeferCleanup(elsewhere.Close)
		namespace := home(ctx)
		history.follow(namespace)
		for _, mishap := range mishaps(released, elsewhere.URL+provider.PathToken) {
			if mishap.setup == nil {
				mishap.setup = func(*provider.Options, *v1alpha1.ConnectorSpec) {}
			}
			for _, kind := range kinds {
				trials = append(trials, &trial{mishap, link(ctx, namespace, kind, clock, mishap.setup)})
			}
		}
		all := make([]*linked, len(trials))
		for i, trial := range trials {
			all[i] = trial.linked
			Eventually(func() bool { return ready(trial.look(ctx)) }).Should(BeTrue(), "what was imported is live")
			Expect(trial.provider.Presentations()).To(BeEmpty(), "nothing is due")
			trial.provider.Fail(trial.Fault)
		}

		clock.Advance(7 * time.Minute)
		for _, each := range all {
			nudge(ctx, each.object)
		}
		time.AfterFunc(time.Second, func() { close(released) })
		for _, trial := range trials {
			Eventually(func() bool { return history.had(trial.object.Name, trial.says) }).Should(BeTrue(), "%s: it says %s, and has said %s",
				trial.name(), trial.says, history.of(trial.object.Name))
			trial.expectPromises(ctx, trial.unheard())
		}
		// Soon, when the respite is over, and when the first access token has expired.
		for _, leap := range []time.Duration{10 * time.Second, respite, 2 * time.Minute} {
			later(ctx, clock, leap, all...)
			for _, trial := range trials {
				trial.expectPromises(ctx, trial.unheard())
			}
		}
		for _, trial := range trials {
			if trial.corrected {
				trial.correct(ctx)
			}
		}
		later(ctx, clock, time.Minute, all...)
	})

	for i, mishap := range rows {
		for j, kind := range kinds {
			It((&trial{mishap, &linked{kind: kind}}).name(), func(ctx context.Context) {
				trial := trials[i*len(kinds)+j]
				trial.expectPromises(ctx, trial.unheard())
				if trial.loses() {
					trial.expectLost(ctx)
				} else {
					trial.expectHealthy(ctx)
				}
				if again := trial.provider.PresentedAgain(); trial.unheard() && trial.really != provider.Keeps {
					Expect(again).To(HaveLen(1), "it may have been used, so it is presented once more, and no more than that")
				}
				if presented := trial.provider.Presentations(); trial.rests {
					Expect(presented[1].At.Sub(presented[0].At)).To(BeNumerically(">=", respite), "it is left alone for as long as it asks for")
				}
			})
		}
	}

	It("follows no redirect", func() { Expect(elsewhere.Requests()).To(BeEmpty()) })
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
