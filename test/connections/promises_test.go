// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
)

// Values that are compared here are never handed to a matcher, which would print them.

// expectPromises holds a connection that nobody is at to what docs/refresh-protocol.md promises, whatever went wrong before. lost says
// that the one copy of a refresh token may have been lost, by an answer that did not come or a process that died.
func (l *linked) expectPromises(ctx context.Context, lost bool) {
	GinkgoHelper()
	object, record := l.look(ctx), recordOf(ctx, l.object)
	output := published(ctx, object)
	if record.Reauthorize != nil {
		Expect(l.provider.RefreshLive(record.RefreshToken.Reveal())).To(BeFalse(), "no grant is called dead while its refresh token is alive")
	}
	if !lost {
		Expect(l.provider.PresentedAgain()).To(BeEmpty(), "no refresh token is presented twice")
	}
	if ready(object) && !l.provider.AccessLive(output) {
		Expect(l.provider.AccessLive(record.AccessToken.Reveal())).To(BeFalse(), "what is published is dead, looks healthy, and a live token is known")
		Expect(l.provider.RefreshLive(record.RefreshToken.Reveal())).To(BeFalse(), "what is published is dead, looks healthy, and the refresh token is alive")
	}
}

// presented says how often each refresh token was presented: those that the provider has heard of.
func (l *linked) presented() map[string]int {
	times := map[string]int{}
	for _, each := range l.provider.Presentations() {
		times[each.Token]++
	}
	return times
}

// expectPresentedTwice at most: what one thing that goes wrong with a refresh asks for.
func (l *linked) expectPresentedTwice() {
	GinkgoHelper()
	for token, times := range l.presented() {
		Expect(times).To(BeNumerically("<=", 2), "%s: it is presented again once at most", token)
	}
}

// expectHealthy: the connection has new tokens, all of them good.
func (l *linked) expectHealthy(ctx context.Context) {
	GinkgoHelper()
	object, record := l.look(ctx), recordOf(ctx, l.object)
	Expect(record.Generation).To(BeNumerically(">", 1), "it has new tokens")
	Expect(record.Intent).To(BeNil())
	for condition, want := range map[string]string{
		v1alpha1.ConditionReady: v1alpha1.ReasonConnected, v1alpha1.ConditionAuthorized: v1alpha1.ReasonAuthorized,
		v1alpha1.ConditionRefreshHealthy: v1alpha1.ReasonRefreshed, v1alpha1.ConditionSecretPublished: v1alpha1.ReasonPublished,
	} {
		Expect(reason(object, condition)).To(Equal(want), condition)
	}
	Expect(l.provider.AccessLive(published(ctx, object))).To(BeTrue(), "the Secret has a live access token")
	Expect(l.provider.RefreshLive(record.RefreshToken.Reveal())).To(BeTrue(), "the record has a live refresh token")
}

// expectLost: a user must sign in again, everybody is told so, and it is true.
func (l *linked) expectLost(ctx context.Context) {
	GinkgoHelper()
	object, record := l.look(ctx), recordOf(ctx, l.object)
	Expect(record.Reauthorize).NotTo(BeNil())
	Expect(reason(object, v1alpha1.ConditionAuthorized)).To(Equal(v1alpha1.ReasonReauthorizationRequired))
	Expect(l.provider.RefreshLive(record.RefreshToken.Reveal())).To(BeFalse(), "the refresh token is dead")
	Expect(reason(object, v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonReauthorizationRequired))
	Expect(meta.IsStatusConditionTrue(object.Status.Conditions, v1alpha1.ConditionStalled)).To(BeTrue(), "it stays so until a human does something")
	Expect(published(ctx, object) == record.AccessToken.Reveal()).To(BeTrue(), "the Secret has what there was last")
}
