// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// mortal is an account with a credential of its own, and one of the console, with a token of each.
type mortal struct {
	name                  string
	account               *v1alpha1.Account
	own, console          *v1alpha1.ClientCredential
	ownKeys, consoleKeys  harness.Credentials
	ownToken, restriction string
}

// mortals is how many there have been.
var mortals int

func bear(ctx context.Context, name string) *mortal {
	GinkgoHelper()
	m := &mortal{
		name:    name,
		account: builder.Account(name, builder.Namespaces(name)),
		own:     builder.ClientCredential(name, "all", builder.ForAccount(name), builder.WithScopes("Webhook", "MCP")),
		console: builder.ClientCredential(config.Namespace, name),
	}
	plane.Create(ctx, m.account, m.own, m.console)
	m.ownKeys, m.consoleKeys = plane.ExpectReady(ctx, m.own), plane.ExpectReady(ctx, m.console)
	Eventually(service.Accepts).WithArguments(m.ownKeys).Should(BeTrue())
	Eventually(service.Accepts).WithArguments(m.consoleKeys).Should(BeTrue())
	m.ownToken, m.restriction = service.TakeToken(m.ownKeys), service.TakeToken(m.consoleKeys, "scope", "account:"+name)
	return m
}

// credentials changes both credentials.
func (m *mortal) credentials(ctx context.Context, change func(*v1alpha1.ClientCredential)) {
	GinkgoHelper()
	harness.Patch(ctx, plane, m.own, change)
	harness.Patch(ctx, plane, m.console, change)
}

func remove(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, object := range objects {
		Expect(plane.API.Delete(ctx, object)).To(Succeed())
	}
}

// verdicts are those at a webhook, at an MCP server, at the API, and again where the account header names the account.
type verdicts [6]string

func (m *mortal) verdicts(replica *harness.TokenService) verdicts {
	GinkgoHelper()
	var all verdicts
	for i, at := range []struct {
		token string
		place
	}{
		{m.ownToken, place{query: "scope=Webhook&account=" + m.name}},
		{m.ownToken, place{query: "scope=MCP&account=" + m.name}},
		{m.restriction, place{query: "scope=API"}},
		{m.ownToken, place{"scope=Webhook", m.name}},
		{m.ownToken, place{"scope=MCP", m.name}},
		{m.restriction, place{"scope=API", m.name}},
	} {
		answer := replica.Verify(at.token, at.query, accountHeader, at.header)
		all[i] = fmt.Sprint(answer.Status)
		if challenge := answer.Header.Get("WWW-Authenticate"); strings.Contains(challenge, `error="invalid_token"`) {
			all[i] += " invalid_token"
		}
	}
	return all
}

var (
	good = verdicts{"200", "200", "200", "200", "200", "200"}
	dead = verdicts{
		"401 invalid_token", "401 invalid_token", "401 invalid_token", "401 invalid_token", "401 invalid_token", "401 invalid_token",
	}
)

// docs/endpoints.md, "Tokens and places", the row of tokens that something has killed, at every place.
var _ = DescribeTable("a good token dies within a second, at every place and on every replica", func(ctx context.Context, kill func(context.Context, *mortal)) {
	mortals++
	m := bear(ctx, fmt.Sprintf("mortal-%d", mortals))
	for _, replica := range []*harness.TokenService{service, second} {
		Eventually(m.verdicts).WithArguments(replica).Should(Equal(good))
	}
	kill(ctx, m)
	for _, replica := range []*harness.TokenService{service, second} {
		harness.ExpectPromptly(func() verdicts { return m.verdicts(replica) }, dead)
	}
},
	Entry("revoked", func(_ context.Context, m *mortal) {
		expectDone(service.Revoke(m.ownKeys, m.ownToken))
		expectDone(service.Revoke(m.consoleKeys, m.restriction))
	}),
	Entry("revoked by kubectl", func(ctx context.Context, m *mortal) {
		for i, token := range []string{m.ownToken, m.restriction} {
			plane.Create(ctx, &v1alpha1.RevokedToken{
				ObjectMeta: metav1.ObjectMeta{Namespace: config.Namespace, Name: fmt.Sprintf("%s-%d", m.name, i)},
				Spec:       v1alpha1.RevokedTokenSpec{TokenID: claimsOf(token).ID, ExpiresAt: metav1.NewTime(claimsOf(token).Expiry.Time())},
			})
		}
	}),
	Entry("issued before spec.revokeTokensBefore", func(ctx context.Context, m *mortal) {
		m.credentials(ctx, func(c *v1alpha1.ClientCredential) {
			c.Spec.RevokeTokensBefore = &metav1.Time{Time: time.Now().Add(time.Minute)}
		})
	}),
	Entry("of a credential that is suspended", func(ctx context.Context, m *mortal) {
		m.credentials(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = true })
	}),
	Entry("of a credential that is deleted", func(ctx context.Context, m *mortal) { remove(ctx, m.own, m.console) }),
	Entry("of an account that is suspended", func(ctx context.Context, m *mortal) {
		harness.Patch(ctx, plane, m.account, func(a *v1alpha1.Account) { a.Spec.Suspend = true })
	}),
	Entry("of an account that is deleted", func(ctx context.Context, m *mortal) { remove(ctx, m.account) }),
)
