// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/provider"
)

// Origins are compared exactly: scheme, host, port. Each row is tried as a link, as the form of its page, and as what the backend would
// fix when it asks for a token.
var _ = Describe("the target of a link", Ordered, ContinueOnFailure, func() {
	var c *customer
	BeforeAll(func(ctx context.Context) {
		c = newCustomer(ctx, provider.Options{}, func(c *customer) {
			c.account.Spec.AllowedOrigins = []v1alpha1.Origin{hostOrigin, "https://kiosk.acme.example:8443"}
		})
	})

	DescribeTable("is good", func(target string, message ...string) {
		link := linkOf(c.id(), c.signInToken(), target, message...)
		Expect(problemOn(newBrowser(connect).get(link))).To(BeEmpty())
		status, _ := c.askSignInToken(connect, "AccountConnectorId", c.id(), "TargetOrigin", target)
		Expect(status).To(Equal(http.StatusOK))
	},
		Entry("at an allowed origin", hostOrigin),
		Entry("at a page of it", hostPage),
		Entry("at a page of it with another URL in its query", hostOrigin+"/?next=https://evil.example/"),
		Entry("at a page of it with what looks like a user in its path", hostOrigin+"/@evil.example/"),
		Entry("in capitals", "HTTPS://APP.ACME.EXAMPLE/"),
		Entry("with the port that goes without saying", hostOrigin+":443/"),
		Entry("with the port that is allowed", "https://kiosk.acme.example:8443/"),
		Entry("as an origin, for a message", hostOrigin, "callbackMessage", "done"),
		Entry("as an origin with a slash, for a message", hostOrigin+"/", "callbackMessage", "done"),
	)

	const denied, invalid = "target_not_allowed", "link_invalid"
	statuses := map[string]int{denied: http.StatusForbidden, invalid: http.StatusBadRequest}
	DescribeTable("is refused", func(ctx context.Context, target, problem string, message ...string) {
		token := c.signInToken()
		before, b := c.signInSecrets(ctx), newBrowser(second)
		link := linkOf(c.id(), token, target, message...)
		for _, answer := range []harness.Answer{b.get(link), b.post(queryOf(link))} {
			Expect(problemOn(answer)).To(Equal(problem))
			Expect(answer.Status).To(Equal(statuses[problem]))
			expectNowhere(answer)
		}
		fixed := []string{"AccountConnectorId", c.id(), "TargetOrigin", target}
		if len(message) > 0 {
			fixed = append(fixed, "CallbackMessage", message[1])
		}
		status, _ := c.askSignInToken(connect, fixed...)
		Expect(status).To(Equal(http.StatusBadRequest))
		Expect(c.signInSecrets(ctx)).To(Equal(before), "nothing is used up, and nothing made")
		Expect(c.Requests()).To(BeEmpty())
	},
		Entry("at another origin", "https://evil.example/", denied),
		Entry("by another scheme", "http://app.acme.example/", denied),
		Entry("by another scheme at the allowed one's port", "http://app.acme.example:443/", denied),
		Entry("at another port", hostOrigin+":8443/", denied),
		Entry("without the port that is allowed", "https://kiosk.acme.example/", denied),
		Entry("at a port that begins like the allowed one", "https://kiosk.acme.example:84430/", denied),
		Entry("at a host below an allowed one", "https://evil.app.acme.example/", denied),
		Entry("at the host above an allowed one", "https://acme.example/", denied),
		Entry("at a host that begins like an allowed one", hostOrigin+".evil.example/", denied),
		Entry("at a host that ends like an allowed one", "https://evilapp.acme.example/", denied),
		Entry("at an allowed host with a dot at the end", "https://app.acme.example./", denied),
		Entry("at an allowed host with a dot before its port", "https://app.acme.example.:443/", denied),
		Entry("at an address", "https://127.0.0.1/", denied),
		Entry("at a name in Punycode", "https://xn--app-acme-example.evil.example/", denied),
		Entry("with an allowed host as its user", "https://app.acme.example@evil.example/", invalid),
		Entry("with an allowed host as its user and password", "https://app.acme.example:443@evil.example/", invalid),
		Entry("as a user at an allowed host", "https://evil@app.acme.example/", invalid),
		Entry("with a user that has no name", "https://@app.acme.example/", invalid),
		Entry("with a capital I that has a dot, which some read as an i", "https://k\u0130osk.acme.example:8443/", invalid),
		Entry("with the sign for Kelvin, which some read as a k", "https://\u212Aiosk.acme.example:8443/", invalid),
		Entry("with a long s, which some read as an s", "https://kio\u017Fk.acme.example:8443/", invalid),
		Entry("with letters of full width", "https://\uFF41pp.acme.example/", invalid),
		Entry("with a full stop that is no dot", "https://app\u3002acme.example/", invalid),
		Entry("with a soft hyphen, which some leave out", "https://ap\u00ADp.acme.example/", invalid),
		Entry("with an encoded host", "https://app%2eacme.example/", invalid),
		Entry("with an encoded slash in its host", "https://evil.example%2f.app.acme.example/", invalid),
		Entry("with a backslash", `https://evil.example\@app.acme.example/`, invalid),
		Entry("with a backslash at the end of the host", `https://app.acme.example\.evil.example/`, invalid),
		Entry("with a tab in its host", "https://app.acme\t.example/", invalid),
		Entry("with a blank before it", " "+hostPage, invalid),
		Entry("with a line break", hostOrigin+"/\r\nSet-Cookie: evil=1", invalid),
		Entry("with a byte of zero", hostOrigin+"/\x00", invalid),
		Entry("with a port that is none", hostOrigin+":0/", invalid),
		Entry("with a port that is no number", hostOrigin+":https/", invalid),
		Entry("at an address of IPv6", "https://[::1]/", invalid),
		Entry("with three slashes", "https:///app.acme.example/", invalid),
		Entry("without slashes", "https:app.acme.example/", invalid),
		Entry("without a scheme", "//app.acme.example/", invalid),
		Entry("as a host alone", "app.acme.example", invalid),
		Entry("as a script", "javascript:alert('evil')//app.acme.example", invalid),
		Entry("as data", "data:text/html,https://app.acme.example/", invalid),
		Entry("as a scheme of an app", "acme://app.acme.example/", invalid),
		Entry("as a wildcard", "*", invalid),
		Entry("as null, which is the origin of nothing", "null", invalid),
		Entry("as a page, for a message", hostPage, invalid, "callbackMessage", "done"),
		Entry("with a port that goes without saying, for a message", hostOrigin+":443", invalid, "callbackMessage", "done"),
		Entry("in capitals, for a message", "HTTPS://APP.ACME.EXAMPLE", invalid, "callbackMessage", "done"),
		Entry("with a query, for a message", hostOrigin+"?", invalid, "callbackMessage", "done"),
		Entry("with a fragment, for a message", hostOrigin+"#", invalid, "callbackMessage", "done"),
		Entry("at another origin, for a message", "https://evil.example", denied, "callbackMessage", "done"),
		Entry("everywhere, for a message", "*", invalid, "callbackMessage", "done"),
	)
})
