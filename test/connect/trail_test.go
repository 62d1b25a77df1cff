// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/server/connectapi"
	"github.com/claviger/claviger/test/browser"
	"github.com/claviger/claviger/test/leak"
	"github.com/claviger/claviger/test/provider"
)

// Kinds of secrets that a sign-in has to do with.
const (
	theToken    = "the sign-in token"
	theState    = "the state"
	theCode     = "the code"
	theVerifier = "the code verifier"
	theAccess   = "the access token"
	theRefresh  = "the refresh token"
	theClient   = "the client's secret"
)

// secrets gives those of a sign-in at a provider, by kind.
func (c *customer) secrets(token, state string) map[string][]string {
	given := c.Secrets()
	return map[string][]string{
		theToken: {token}, theState: {state}, theClient: {provider.ClientSecret},
		theCode: given.Codes, theVerifier: given.Verifiers, theAccess: given.Access, theRefresh: given.Refresh,
	}
}

// trail is what a sign-in leaves where others may look.
type trail []trace

type trace struct {
	what, text string
	// belong are the kinds of secrets that it may hold.
	belong []string
}

func (t *trail) leave(what, text string, belong ...string) {
	*t = append(*t, trace{what, text, belong})
}

// leaveHistory leaves what the back button leads to. A link and an authorization request are of the browser's own making.
func (t *trail) leaveHistory(tab *browser.Page) {
	GinkgoHelper()
	for _, address := range tab.History() {
		switch at := pathOf(address); at {
		case connectapi.PathLink:
			t.leave("the history", address, theToken)
		case provider.PathAuthorize:
			t.leave("the history", address, theState)
		default:
			t.leave("the history", address)
		}
	}
}

// leaveRequests leaves the URLs that a browser asked for, and what it told of where it came from.
func (t *trail) leaveRequests(tab *browser.Page) {
	GinkgoHelper()
	for _, request := range tab.Requests() {
		switch at := pathOf(request.URL); {
		case at == connectapi.PathLink:
			t.leave("a request", request.URL, theToken)
		case at == provider.PathAuthorize:
			t.leave("a request", request.URL, theState)
		case strings.HasPrefix(at, connectapi.PathCallback):
			t.leave("a request", request.URL, theState, theCode)
		default:
			t.leave("a request", request.URL)
		}
	}
	for _, referer := range tab.Referers() {
		t.leaveReferer(referer)
	}
}

// leaveReferer leaves one, which must not be ours: nobody is told where the user came from.
func (t *trail) leaveReferer(referer string) {
	GinkgoHelper()
	Expect(strings.HasPrefix(referer, connect.URL)).To(BeFalse(), "a Referer names the connect role")
	if pathOf(referer) == provider.PathAuthorize { // which the application's page tells the application
		t.leave("a Referer", referer, theState)
	} else {
		t.leave("a Referer", referer)
	}
}

func pathOf(address string) string {
	GinkgoHelper()
	parsed, err := url.Parse(address)
	Expect(err == nil).To(BeTrue(), "a browser's URLs are some")
	return parsed.Path
}

// expectClean sees that every secret is where it belongs, and that there are some of each kind where tokens were given.
func (t *trail) expectClean(secrets map[string][]string, given bool) {
	GinkgoHelper()
	if given {
		for kind, values := range secrets {
			Expect(values == nil).To(BeFalse(), "%s is known, or this proves nothing", kind)
		}
	}
	for _, trace := range *t {
		for kind, values := range secrets {
			holds := slices.ContainsFunc(values, func(secret string) bool { return leak.Holds(trace.text, secret) })
			Expect(holds && !slices.Contains(trace.belong, kind)).To(BeFalse(), "%s holds %s", trace.what, kind)
		}
	}
}
