// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
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
	world                 *World
	name                  string
	account               *v1alpha1.Account
	own, console          *v1alpha1.ClientCredential
	ownKeys, consoleKeys  harness.Credentials
	ownToken, restriction string
}

func (w *World) bear(ctx context.Context) *mortal {
	GinkgoHelper()
	w.mortals++
	name := fmt.Sprintf("mortal-%d", w.mortals)
	m := &mortal{
		world:   w,
		name:    name,
		account: builder.Account(name, builder.Namespaces(name)),
		own:     builder.ClientCredential(name, "all", builder.ForAccount(name), builder.WithScopes("Webhook", "MCP")),
		console: builder.ClientCredential(config.Namespace, name),
	}
	w.Plane.Create(ctx, m.account, m.own, m.console)
	m.ownKeys, m.consoleKeys = w.Plane.ExpectReady(ctx, m.own), w.Plane.ExpectReady(ctx, m.console)
	Eventually(w.Service.Accepts).WithArguments(m.ownKeys).Should(BeTrue())
	Eventually(w.Service.Accepts).WithArguments(m.consoleKeys).Should(BeTrue())
	m.ownToken = w.Service.TakeToken(m.ownKeys)
	m.restriction = w.Service.TakeToken(m.consoleKeys, "scope", "account:"+name)
	return m
}

// credentials changes both credentials.
func (m *mortal) credentials(ctx context.Context, change func(*v1alpha1.ClientCredential)) {
	GinkgoHelper()
	harness.Patch(ctx, m.world.Plane, m.own, change)
	harness.Patch(ctx, m.world.Plane, m.console, change)
}

func (m *mortal) remove(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, object := range objects {
		Expect(m.world.Plane.API.Delete(ctx, object)).To(Succeed())
	}
}

// Everywhere gives the places at which a mortal's tokens are good while it lives: its own webhook and MCP server, and Shared.
func Everywhere(account string) []Place {
	return append(Shared(account), Place{Guard: "scope=Webhook&account=" + account}, Place{Guard: "scope=MCP&account=" + account})
}

// Shared gives those of them whose guard names no account.
func Shared(account string) []Place {
	return []Place{SharedWebhook.For(account), SharedMCP.For(account), API, API.For(account)}
}

// verdicts are those at all places, as one text.
func (m *mortal) verdicts(ask Ask, places []Place) string {
	GinkgoHelper()
	all := make([]string, 0, len(places))
	for _, at := range places {
		token := m.ownToken
		if at.Guard == API.Guard {
			token = m.restriction
		}
		answer := ask(token, at)
		verdict := fmt.Sprint(answer.Status)
		if strings.Contains(answer.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			verdict += " invalid_token"
		}
		all = append(all, verdict)
	}
	return strings.Join(all, ", ")
}

func everywhere(verdict string, places []Place) string {
	return strings.TrimSuffix(strings.Repeat(verdict+", ", len(places)), ", ")
}

// death is something that kills good tokens.
type death struct {
	name string
	kill func(context.Context, *mortal)
}

func deaths() []death {
	return []death{
		{"revoked", func(_ context.Context, m *mortal) {
			Expect(m.world.Service.Revoke(m.ownKeys, m.ownToken).Status).To(Equal(http.StatusOK))
			Expect(m.world.Service.Revoke(m.consoleKeys, m.restriction).Status).To(Equal(http.StatusOK))
		}},
		{"revoked by kubectl", func(ctx context.Context, m *mortal) {
			for i, token := range []string{m.ownToken, m.restriction} {
				id, expires := identify(token)
				m.world.Plane.Create(ctx, &v1alpha1.RevokedToken{
					ObjectMeta: metav1.ObjectMeta{Namespace: config.Namespace, Name: fmt.Sprintf("%s-%d", m.name, i)},
					Spec:       v1alpha1.RevokedTokenSpec{TokenID: id, ExpiresAt: expires},
				})
			}
		}},
		{"issued before spec.revokeTokensBefore", func(ctx context.Context, m *mortal) {
			m.credentials(ctx, func(c *v1alpha1.ClientCredential) {
				c.Spec.RevokeTokensBefore = &metav1.Time{Time: time.Now().Add(time.Minute)}
			})
		}},
		{"of a credential that is suspended", func(ctx context.Context, m *mortal) {
			m.credentials(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = true })
		}},
		{"of a credential that is deleted", func(ctx context.Context, m *mortal) { m.remove(ctx, m.own, m.console) }},
		{"of an account that is suspended", func(ctx context.Context, m *mortal) {
			harness.Patch(ctx, m.world.Plane, m.account, func(a *v1alpha1.Account) { a.Spec.Suspend = true })
		}},
		{"of an account that is deleted", func(ctx context.Context, m *mortal) { m.remove(ctx, m.account) }},
	}
}

// HoldDeaths adds a spec for each death: tokens that are good at all places die at all of them within a second, however one asks.
func HoldDeaths(world *World, places func(account string) []Place, asks ...Ask) {
	for _, death := range deaths() {
		It(death.name, func(ctx context.Context) {
			m := world.bear(ctx)
			where := places(m.name)
			for _, ask := range asks {
				Eventually(m.verdicts).WithArguments(ask, where).Should(Equal(everywhere("200", where)))
			}
			death.kill(ctx, m)
			for _, ask := range asks {
				harness.ExpectPromptly(func() string { return m.verdicts(ask, where) }, everywhere("401 invalid_token", where))
			}
		})
	}
}

// identify reads a token's ID and expiry from its payload.
func identify(token string) (string, metav1.Time) {
	GinkgoHelper()
	parts := strings.Split(token, ".")
	Expect(parts).To(HaveLen(3))
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	Expect(err).NotTo(HaveOccurred())
	var claims struct {
		ID      string `json:"jti"`
		Expires int64  `json:"exp"`
	}
	Expect(json.Unmarshal(payload, &claims)).To(Succeed())
	return claims.ID, metav1.Unix(claims.Expires, 0)
}
