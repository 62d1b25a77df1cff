// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/oauth2"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/nodejs"
	"github.com/claviger/claviger/test/provider"
)

// callback is where sign-ins end. Nobody is there: the test reads it from the redirect.
const callback = "http://127.0.0.1:1/callback"

// oidcProvider is npm oidc-provider, which runs with the clock of the test.
type oidcProvider struct {
	*nodejs.Program
	issuer string
	clock  *harness.Clock
}

func startOIDCProvider(ctx context.Context, clock *harness.Clock) *oidcProvider {
	GinkgoHelper()
	p := &oidcProvider{Program: nodejs.Prepare(ctx, "node").Start(ctx, "oidc-provider.mjs", plane.Ledger), clock: clock}
	p.Must(clock.Now(), "start", map[string]any{
		"client": provider.ClientID, "secret": provider.ClientSecret, "callback": callback, "lifetime": int(lifetime.Seconds()),
	}, &p.issuer)
	return p
}

// tell tells it the time.
func (p *oidcProvider) tell() {
	GinkgoHelper()
	p.Must(p.clock.Now(), "tick", nil, nil)
}

// live reports whether an access token is good there.
func (p *oidcProvider) live(access string) bool {
	GinkgoHelper()
	p.tell()
	request, err := http.NewRequest(http.MethodGet, p.issuer+"/me", http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+access)
	return harness.Do(request).Status == http.StatusOK
}

var action = regexp.MustCompile(`action="([^"]+)"`)

// signIn goes through its pages as a browser would, and gives the tokens of a user who has agreed.
func (p *oidcProvider) signIn(ctx context.Context) provider.Tokens {
	GinkgoHelper()
	jar, err := cookiejar.New(nil)
	Expect(err).NotTo(HaveOccurred())
	var answered url.Values
	browser := &http.Client{Jar: jar, CheckRedirect: func(to *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(to.URL.String(), callback) {
			answered = to.URL.Query()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	config, verifier := oauth2.Config{
		ClientID: provider.ClientID, ClientSecret: provider.ClientSecret, RedirectURL: callback, Scopes: []string{"openid"},
		Endpoint: oauth2.Endpoint{AuthURL: p.issuer + "/auth", TokenURL: p.issuer + "/token", AuthStyle: oauth2.AuthStyleInHeader},
	}, oauth2.GenerateVerifier()
	submit := func(to string, form url.Values) string {
		method := http.MethodGet
		if form != nil {
			method = http.MethodPost
		}
		request, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(form.Encode()))
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		found := action.FindStringSubmatch(harness.DoWith(browser, request).Body)
		if found == nil {
			return ""
		}
		return found[1]
	}
	p.tell()
	page := submit(config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)), nil)
	Expect(page).NotTo(BeEmpty(), "it asks who the user is")
	page = submit(page, url.Values{"prompt": {"login"}, "login": {"ada"}, "password": {"any"}})
	Expect(page).NotTo(BeEmpty(), "it asks whether the user agrees")
	submit(page, url.Values{"prompt": {"consent"}})
	Expect(answered.Get("iss")).To(Equal(p.issuer))
	Expect(answered.Get("state")).To(Equal("state"))
	tokens, err := config.Exchange(ctx, answered.Get("code"), oauth2.VerifierOption(verifier))
	Expect(err).NotTo(HaveOccurred())
	given := provider.Tokens{Access: tokens.AccessToken, Refresh: tokens.RefreshToken, Expires: p.clock.Now().Add(lifetime)}
	plane.Ledger.Add(given.Access)
	plane.Ledger.Add(given.Refresh)
	return given
}

// present presents a refresh token, as a thief would, and reports whether it is taken.
func (p *oidcProvider) present(ctx context.Context, refresh string) bool {
	GinkgoHelper()
	p.tell()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.issuer+"/token", strings.NewReader(form.Encode()))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(provider.ClientID, provider.ClientSecret)
	return harness.Do(request).Status == http.StatusOK
}

var _ = Describe("npm oidc-provider, which replaces refresh tokens and ends the grant of one that is used again", func() {
	It("has its endpoints discovered, its tokens refreshed, and the end of its grant noticed", func(ctx context.Context) {
		clock := &harness.Clock{}
		plane.StartManagerWith(reaching(clock))
		them := startOIDCProvider(ctx, clock)
		tokens := them.signIn(ctx)
		object := connect(ctx, home(ctx), tokens, v1alpha1.ConnectorSpec{
			Grant: v1alpha1.GrantAuthorizationCode, AuthStyle: v1alpha1.AuthStyleBasic, Scopes: []v1alpha1.ProviderScope{"openid"},
			Issuer:  v1alpha1.ConnectorURL(them.issuer),
			Refresh: v1alpha1.ConnectorRefresh{Rotation: v1alpha1.RotationStrict},
		})
		Eventually(func() bool { return ready(read(ctx, object)) }).Should(BeTrue())
		Expect(them.live(published(ctx, object))).To(BeTrue(), "what was imported is live")

		for generation := int64(2); generation < 5; generation++ {
			clock.Advance(7 * time.Minute)
			them.tell()
			nudge(ctx, object)
			Eventually(func() int64 { return recordOf(ctx, object).Generation }).Should(Equal(generation))
			Eventually(seen).WithArguments(ctx, object).Should(BeTrue())
			Expect(reason(object, v1alpha1.ConditionRefreshHealthy)).To(Equal(v1alpha1.ReasonRefreshed))
			Expect(them.live(published(ctx, object))).To(BeTrue(), "what was refreshed is live")
		}

		By("somebody presents the first refresh token, which was used long ago")
		Expect(them.present(ctx, tokens.Refresh)).To(BeFalse())
		clock.Advance(7 * time.Minute)
		them.tell()
		nudge(ctx, object)
		Eventually(func() string { return reason(read(ctx, object), v1alpha1.ConditionAuthorized) }).Should(Equal(v1alpha1.ReasonReauthorizationRequired))
		Expect(them.present(ctx, recordOf(ctx, object).RefreshToken.Reveal())).To(BeFalse(), "and that is true")
		clock.Advance(7 * time.Minute)
		nudge(ctx, object)
		Eventually(func() string { return reason(read(ctx, object), v1alpha1.ConditionReady) }).Should(Equal(v1alpha1.ReasonReauthorizationRequired))
	})
})
