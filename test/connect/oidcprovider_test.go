// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/server/connectapi"
	"github.com/claviger/claviger/test/browser"
	"github.com/claviger/claviger/test/nodejs"
	"github.com/claviger/claviger/test/provider"
)

// npm oidc-provider requires PKCE, names itself in its answers (RFC 9207), and was written by people who know nothing of Claviger.
var _ = Describe("npm oidc-provider", func() {
	It("is discovered, asks a user who they are, and gives tokens that it takes", func(ctx context.Context) {
		chromium := browser.Start(plane.Ledger.Scrub)
		program := nodejs.Prepare(ctx, "../connections/node").Start(ctx, "oidc-provider.mjs", plane.Ledger)
		var issuer string
		c := newCustomer(ctx, provider.Options{}, func(c *customer) {
			program.Must(time.Now(), "start", map[string]any{
				"client": provider.ClientID, "secret": provider.ClientSecret, "lifetime": 600,
				"callback": connect.URL + connectapi.PathCallback + c.name,
			}, &issuer)
			c.library.Spec.Issuer, c.library.Spec.Scopes = v1alpha1.ConnectorURL(issuer), []v1alpha1.ProviderScope{"openid", "offline_access"}
			c.library.Spec.AuthorizationParameters = map[string]v1alpha1.ParameterValue{"prompt": "consent"}
			c.library.Spec.AuthorizationURL, c.library.Spec.TokenURL, c.library.Spec.RevocationURL = "", "", ""
		})
		Eventually(func() bool {
			_ = plane.API.Get(ctx, keyOf(c.library), c.library)
			return c.library.Status.Discovered != nil && c.library.Status.Discovered.IssInAnswers
		}).Should(BeTrue(), "it says that its answers have iss")

		app := startHostApp()
		patch(ctx, c.account, func(a *v1alpha1.Account) { a.Spec.AllowedOrigins = []v1alpha1.Origin{v1alpha1.Origin(app.origin)} })
		link := connect.URL + linkOf(c.id(), c.signInToken(), app.origin+"/done")
		Eventually(func() int { return call(http.MethodGet, link, "", "").Status }).Should(Equal(http.StatusOK))

		page := chromium.Page()
		page.Open(link)
		page.Click(button)
		page.Arrive(issuer + "/interaction/")
		page.Type(`[name="login"]`, "ada")
		page.Type(`[name="password"]`, "any")
		page.Click(`[type="submit"]`)
		page.ExpectText("Authorize")
		page.Click(`[type="submit"]`)
		page.Arrive(app.origin + "/done")

		Eventually(c.reason).WithArguments(ctx).Should(Equal(v1alpha1.ReasonConnected))
		Expect(call(http.MethodGet, issuer+"/me", c.accessToken(ctx), "").Status).To(Equal(http.StatusOK), "it takes the token in the Secret")
		page.Forgive("fonts.googleapis.com", "favicon.ico") // which its own pages ask for
	})
})
