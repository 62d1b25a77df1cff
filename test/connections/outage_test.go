// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/provider"
)

const (
	// leap is how far the clock goes between two looks: a token that is due just after one is not dead before the next.
	leap = 3 * time.Minute
	// longest is how long a connection waits between two requests that fail, and an outage takes several of these.
	longest = 15 * time.Minute
	// patience is the most between two requests: the longest wait, two looks (its host may be left alone at the first), and the time
	// that the looks themselves take, for this clock goes on meanwhile.
	patience = longest + 3*leap
	outage   = 2 * time.Hour
)

// outageOf is one provider that is away, with its connections, and others at another provider.
type outageOf struct {
	clock      *harness.Clock
	away, well []*linked
}

// begin connects all of them, and has the one provider go wrong from now on.
func (o *outageOf) begin(ctx context.Context, of kind, fault provider.Fault) {
	GinkgoHelper()
	o.clock = &harness.Clock{}
	plane.StartManagerWith(reaching(o.clock))
	namespace, asIs := home(ctx), func(*provider.Options, *v1alpha1.ConnectorSpec) {}
	o.away = []*linked{link(ctx, namespace, of, o.clock, asIs)}
	o.away = append(o.away, beside(ctx, o.away[0]))
	o.well = []*linked{link(ctx, namespace, kinds[2], o.clock, asIs)}
	o.well = append(o.well, beside(ctx, o.well[0]))
	for _, each := range o.all() {
		Eventually(func() bool { return ready(each.look(ctx)) }).Should(BeTrue(), "what was imported is live")
	}
	o.away[0].provider.Break(fault)
}

// beside makes another connection to the same provider.
func beside(ctx context.Context, of *linked) *linked {
	GinkgoHelper()
	entry := &v1alpha1.Connector{}
	Expect(plane.API.Get(ctx, client.ObjectKey{Name: of.object.Spec.ConnectorRef.Name}, entry)).To(Succeed())
	return &linked{kind: of.kind, provider: of.provider, object: connect(ctx, of.object.Namespace, of.provider.Give("crm.read"), entry.Spec)}
}

func (o *outageOf) all() []*linked { return append(append([]*linked{}, o.away...), o.well...) }

// pass lets that much time pass, and holds everybody to what they are at each look.
func (o *outageOf) pass(ctx context.Context, long time.Duration, says []string) {
	GinkgoHelper()
	for range long / leap {
		later(ctx, o.clock, leap, o.all()...)
		for _, each := range o.well {
			each.expectInTime(ctx, o.clock)
		}
		for _, each := range o.away {
			each.expectPromises(ctx, false)
			each.expectTroubled(ctx, o.clock, says)
		}
	}
}

// expectInTime: it is refreshed when it is due, and says nothing of what others suffer.
func (l *linked) expectInTime(ctx context.Context, clock *harness.Clock) {
	GinkgoHelper()
	object, record := l.look(ctx), recordOf(ctx, l.object)
	Expect(record.ExpiresAt.Sub(clock.Now())).To(BeNumerically(">", lifetime/3-30*time.Second), "a third of its token's life is left at every look")
	Expect(record.Intent).To(BeNil())
	Expect(reason(object, v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonConnected), said(object))
	Expect(reason(object, v1alpha1.ConditionRefreshHealthy)).To(Equal(v1alpha1.ReasonRefreshed), said(object))
	Expect(l.provider.AccessLive(published(ctx, object))).To(BeTrue(), "what it publishes is live")
}

// expectTroubled: it says what is wrong where its token is about to expire or has, and that no user has to do anything about it.
func (l *linked) expectTroubled(ctx context.Context, clock *harness.Clock, says []string) {
	GinkgoHelper()
	object, record := l.look(ctx), recordOf(ctx, l.object)
	Expect(record.Reauthorize).To(BeNil())
	Expect(record.Generation).To(BeEquivalentTo(1), "it has the tokens that were imported")
	Expect(reason(object, v1alpha1.ConditionAuthorized)).To(Equal(v1alpha1.ReasonAuthorized), said(object))
	Expect(l.provider.RefreshLive(record.RefreshToken.Reveal())).To(BeTrue(), "its refresh token is alive")
	if record.AtRisk(clock.Now()) {
		Expect(says).To(ContainElement(reason(object, v1alpha1.ConditionRefreshHealthy)), said(object))
	}
	if record.Live(clock.Now()) {
		Expect(reason(object, v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonConnected), "its token is good until it expires")
	} else {
		Expect(says).To(ContainElement(reason(object, v1alpha1.ConditionReady)), said(object))
	}
}

// expectPatience: the provider was asked for as long as it was away, ever more seldom, and not in a storm.
func (o *outageOf) expectPatience() {
	GinkgoHelper()
	tries := map[string][]time.Time{}
	for _, each := range o.away[0].provider.Presentations() {
		Expect(each.Outcome).To(Equal(provider.Ignored))
		tries[each.Token] = append(tries[each.Token], each.At)
	}
	Expect(tries).To(HaveLen(len(o.away)), "each refresh token was presented")
	for token, at := range tries {
		last := len(at) - 1
		Expect(last).To(BeNumerically(">=", 5), "%s: it was tried again", token)
		Expect(len(at)).To(BeNumerically("<=", 9+outage/(longest/2)), "%s: after the steps up to the longest wait, not more than that asks for", token)
		Expect(at[last].Sub(at[last-1])).To(BeNumerically(">=", longest/2), "%s: in the end it waits the longest", token)
		for i := range last {
			Expect(at[i+1].Sub(at[i])).To(BeNumerically("<=", patience), "%s: it is never given up", token)
		}
		Expect(o.clock.Now().Sub(at[last])).To(BeNumerically("<=", patience), "%s: and was not in the end", token)
	}
}

// recover mends the provider, and leaves everything to the manager.
func (o *outageOf) recover(ctx context.Context) {
	GinkgoHelper()
	o.away[0].provider.Mend()
	back := func() bool {
		for _, each := range o.away {
			if recordOf(ctx, each.object).Generation == 1 {
				return false
			}
		}
		return true
	}
	// No longer than the longest wait of one that was turned away last, and that of the host after it.
	for waited := time.Duration(0); !back(); waited += leap {
		Expect(waited).To(BeNumerically("<=", patience), "they come back by themselves")
		later(ctx, o.clock, leap, o.all()...)
		for _, each := range o.well {
			each.expectInTime(ctx, o.clock)
		}
	}
	for _, each := range o.all() {
		each.expectHealthy(ctx)
		each.expectPromises(ctx, false)
	}
}

// What a provider that is away for long does to its own connections, and does not to others. Nobody at it hears of most requests, or
// all it says is that it cannot.
var _ = DescribeTable("a provider that is away for hours, which",
	func(ctx context.Context, fault provider.Fault, of kind, says []string) {
		o := &outageOf{}
		o.begin(ctx, of, fault)
		o.pass(ctx, outage, says)
		o.expectPatience()
		o.recover(ctx)
		Expect(o.well[0].provider.PresentedAgain()).To(BeEmpty())
		Expect(o.well[0].provider.Accepted()).To(BeNumerically(">=", 2*int(outage/lifetime)), "the others were refreshed all the while")
	},
	Entry("answers 500, and ends the grant of a token that is used again", provider.FailsBefore(), kinds[2], troubles),
	Entry("resets connections when it has read, and takes each token once", provider.ResetsBefore(), kinds[3], troubles),
	Entry("is a proxy that sends people elsewhere, and forgives for a while", provider.Redirects("/maintenance"), kinds[1], troubles),
	Entry("says that it is unavailable, and does not rotate", provider.Unavailable(respite), kinds[0], []string{v1alpha1.ReasonRefreshFailing}),
	Entry("has too many requests, and ends the grant of a token that is used again", provider.TooMany(respite), kinds[2], []string{v1alpha1.ReasonRefreshFailing}),
)

// troubles are what RefreshHealthy says where nobody knows whether a refresh token was used, or where the host is left alone.
var troubles = []string{v1alpha1.ReasonRefreshOutcomeUnknown, v1alpha1.ReasonRefreshFailing}
