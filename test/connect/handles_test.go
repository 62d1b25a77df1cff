// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"net/http"
	"net/url"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/server/connectapi"
	"github.com/claviger/claviger/test/provider"
)

// twin makes one more connection of the account, at the same application, and gives the account as if that were its only one.
func (c *customer) twin(ctx context.Context) *customer {
	GinkgoHelper()
	other := *c
	other.connection = c.another("erp")
	plane.Create(ctx, other.connection)
	Eventually(other.reason).WithArguments(ctx).Should(Equal(v1alpha1.ReasonSignInRequired))
	other.expectKnownTo(ctx, connect, second)
	other.untouched = other.grant(ctx)
	return &other
}

// confirm confirms a sign-in, as the host's backend does, and gives the status.
func (c *customer) confirm(code string) int {
	GinkgoHelper()
	return call(http.MethodPost, connect.URL+"/v1.0/accounts/"+c.name+"/connectors/"+c.id()+"/confirm", consoleToken(), fields("Code", code)).Status
}

var _ = Describe("what one sign-in was given", func() {
	It("signs in the user that it was made for, whatever a link says besides", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		link := linkOf(c.id(), c.signInToken("Username", "joe"), hostPage, "Username", "jane", "user", "jane")
		for _, replica := range []*visitor{newBrowser(connect), newBrowser(second)} {
			page := replica.get(link).Body
			Expect(named(page, "joe")).To(BeTrue(), "the page names who the token was made for")
			Expect(named(page, "jane")).To(BeFalse(), "the page names somebody else")
		}
		expectHost(newBrowser(connect).signIn(link))
		c.expectConnected(ctx)
		Expect(c.connection.Status.AuthorizedBy).To(Equal("joe"))
	})

	It("is for the connection that it was made for, and is not used up by trying another", func(ctx context.Context) {
		crm := newCustomer(ctx, provider.Options{}, nil)
		erp := crm.twin(ctx)
		token := crm.signInToken("AccountConnectorId", crm.id())
		elsewhere := linkOf(erp.id(), token, hostPage)
		for _, b := range []*visitor{newBrowser(connect), newBrowser(second)} {
			Expect(problemOn(b.get(elsewhere))).To(Equal("link_invalid"))
			answer := b.post(queryOf(elsewhere))
			Expect(problemOn(answer)).To(Equal("link_invalid"))
			expectNowhere(answer)
		}
		Expect(crm.Requests()).To(BeEmpty())
		expectHost(newBrowser(connect).signIn(linkOf(crm.id(), token, hostPage)))
		crm.expectConnected(ctx)
		erp.expectUntouched(ctx)
	})

	It("is for the account that it was made for, and is not used up by trying another", func(ctx context.Context) {
		mine, theirs := newCustomer(ctx, provider.Options{}, nil), newCustomer(ctx, provider.Options{}, nil)
		token := mine.signInToken()
		elsewhere := linkOf(theirs.id(), token, hostPage)
		b := newBrowser(second)
		Expect(problemOn(b.get(elsewhere))).To(Equal("link_invalid"))
		Expect(problemOn(b.post(queryOf(elsewhere)))).To(Equal("link_invalid"))
		Expect(theirs.Requests()).To(BeEmpty())
		theirs.expectUntouched(ctx)
		expectHost(b.signIn(linkOf(mine.id(), token, hostPage)))
	})

	// An attacker has a code of a sign-in of their own, and a victim's browser to have it exchanged in (code injection, RFC 9700 section 4.5).
	It("brings no other sign-in's tokens: a code is good with the state that it was asked with", func(ctx context.Context) {
		crm := newCustomer(ctx, provider.Options{}, nil)
		erp := crm.twin(ctx)
		b, attacker := newBrowser(connect), newBrowser(second)
		theirs := attacker.agree(attacker.follow(erp.link()))
		mine := b.agree(b.follow(crm.link()))
		query := mine.Query()
		query.Set("code", theirs.Query().Get("code"))
		mine.RawQuery = query.Encode()
		Expect(location(b.back(mine)).Query().Get("error")).To(Equal("exchange_failed"))
		crm.expectUntouched(ctx)
		erp.expectUntouched(ctx)
	})

	It("is of one kind: nothing else that a browser or the cluster has will do in its place", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		token := c.signInToken()
		asked := b.follow(c.link()).Query()
		state := asked.Get("state")
		plane.Ledger.Add(state)
		page := newBrowser(connect).get(linkOf(c.id(), state, hostPage))
		Expect(problemOn(page)).To(Equal("link_dead"), "a state is no sign-in token")
		for what, name := range map[string]string{"a sign-in token": hashOf(token), "a state": hashOf(state), "a Secret": linkSecret(token)} {
			Expect(problemOn(b.get(linkOf(c.id(), name, hostPage)))).To(Equal("link_invalid"), "the name of %s is no sign-in token", what)
		}
		for what, text := range map[string]string{
			"a sign-in token": token, "the name of a state": hashOf(state), "the name of a token": hashOf(token), "a challenge": asked.Get("code_challenge"),
		} {
			back := &url.URL{Path: connectapi.PathCallback + c.name, RawQuery: url.Values{"state": {text}, "code": {"code"}}.Encode()}
			Expect(problemOn(b.back(back))).To(Equal("state_unknown"), "%s is no state", what)
		}
		Expect(problemOn(b.get(connectapi.PathCompleted+"?session="+hashOf(state)))).To(Equal("state_unknown"), "nothing has come of it yet")
		Expect(problemOn(b.get(connectapi.PathCompleted+"?session=token-"+hashOf(token)))).To(Equal("state_unknown"), "nor is a token a sign-in")
		Expect(exchanges(c.Provider)).To(BeZero())
		expectHost(newBrowser(second).signIn(linkOf(c.id(), token, hostPage)))
	})

	It("is confirmed for the connection that it was made for, and no other", func(ctx context.Context) {
		crm := newCustomer(ctx, provider.Options{}, func(c *customer) { c.connection.Spec.Completion = v1alpha1.CompletionConfirm })
		erp := crm.twin(ctx)
		codes := map[*customer]string{}
		for _, of := range []*customer{crm, erp} {
			codes[of] = newBrowser(connect).signIn(of.link()).Query().Get("code")
			plane.Ledger.Add(codes[of])
		}
		Expect(crm.confirm(codes[erp])).To(Equal(http.StatusConflict))
		Expect(erp.confirm(codes[crm])).To(Equal(http.StatusConflict))
		Expect(crm.confirm(codes[crm])).To(Equal(http.StatusNoContent))
		crm.expectConnected(ctx)
		Expect(erp.published(ctx)).To(BeEmpty())
	})
})
