// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"net"
	"net/url"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/provider"
)

// A Connector is written by whoever may write one. It must not have the connect role call what only the cluster can reach. What is on
// this machine would answer, if it were called: it is what the replicas that may do so call in every other spec.
var _ = Describe("a replica that may call nothing private", Ordered, ContinueOnFailure, func() {
	var guarded *visitor
	BeforeAll(func() {
		guarded = newBrowser(plane.StartConnect(tokens, func(o *app.ConnectOptions) {
			o.Clock, o.ConnectURL, o.EgressAllow = clock.Now, connect.URL, nil
		}))
	})

	// expectRefused goes through a sign-in there, and sees that the code is sent to nobody.
	expectRefused := func(ctx context.Context, c *customer) {
		GinkgoHelper()
		c.expectKnownTo(ctx, guarded.replica)
		end := guarded.signIn(c.link())
		Expect(end.Query().Get("error")).To(Equal("exchange_failed"))
		for _, told := range []string{"127.0.0.1", "loopback", "private", "link-local"} {
			Expect(end.Query().Get("error_description")).NotTo(ContainSubstring(told), "the host learns nothing of our networks")
		}
		Expect(exchanges(c.Provider)).To(BeZero())
		Expect(revocations(c.Provider)).To(BeZero())
		c.expectUntouched(ctx)
	}

	DescribeTable("refuses a token endpoint", func(ctx context.Context, host string) {
		c := newCustomer(ctx, provider.Options{}, func(c *customer) {
			parsed, err := url.Parse(c.URL)
			Expect(err).NotTo(HaveOccurred())
			for _, endpoint := range []*v1alpha1.ConnectorURL{&c.library.Spec.TokenURL, &c.library.Spec.RevocationURL} {
				*endpoint = v1alpha1.ConnectorURL(strings.Replace(string(*endpoint), parsed.Hostname(), host, 1))
			}
		})
		expectRefused(ctx, c)
	},
		Entry("on loopback", "127.0.0.1"),
		Entry("on loopback, at another address", "127.1.2.3"),
		Entry("on loopback, by name", "localhost"),
		Entry("on loopback of IPv6", "[::1]"),
		Entry("on loopback, mapped into IPv6", "[::ffff:127.0.0.1]"),
		Entry("on loopback, mapped into IPv6 in hexadecimal", "[::ffff:7f00:1]"),
		Entry("on loopback, behind NAT64", "[64:ff9b::7f00:1]"),
		Entry("at no address", "0.0.0.0"),
		Entry("at no address of IPv6", "[::]"),
		Entry("that is the metadata of a cloud", "169.254.169.254"),
		Entry("that is the metadata of a cloud, mapped into IPv6", "[::ffff:169.254.169.254]"),
		Entry("that is the metadata of a cloud, over IPv6", "[fd00:ec2::254]"),
		Entry("that is link-local", "169.254.1.1"),
		Entry("that is link-local of IPv6", "[fe80::1]"),
		Entry("in 10.0.0.0/8", "10.96.0.1"),
		Entry("in 172.16.0.0/12", "172.16.0.1"),
		Entry("in 192.168.0.0/16", "192.168.0.1"),
		Entry("of carrier-grade NAT", "100.64.0.1"),
		Entry("of a private network of IPv6", "[fd00::1]"),
		Entry("of a private network, mapped into IPv6", "[::ffff:10.0.0.1]"),
	)

	It("refuses the token endpoint that an issuer on loopback publishes", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{Iss: provider.IssRight}, func(c *customer) {
			c.library.Spec.Issuer = v1alpha1.ConnectorURL(c.URL)
			c.library.Spec.AuthorizationURL, c.library.Spec.TokenURL, c.library.Spec.RevocationURL = "", "", ""
		})
		expectRefused(ctx, c)
	})

	It("opens no connection either", func(ctx context.Context) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(listener.Close)
		var connections atomic.Int64
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				connections.Add(1)
				_ = conn.Close()
			}
		}()
		c := newCustomer(ctx, provider.Options{}, func(c *customer) {
			c.library.Spec.TokenURL = v1alpha1.ConnectorURL("http://" + listener.Addr().String() + "/token")
		})
		expectRefused(ctx, c)
		Expect(connections.Load()).To(BeZero())

		By("having one that may call loopback do the same, which does")
		Expect(newBrowser(connect).signIn(c.link()).Query().Get("error")).To(Equal("exchange_failed"))
		Expect(connections.Load()).To(Equal(int64(1)))
	})

	It("sends nothing in clear, unless the operator allows it", func(ctx context.Context) {
		strict := newBrowser(plane.StartConnect(tokens, func(o *app.ConnectOptions) {
			o.Clock, o.ConnectURL, o.EgressAllowHTTP = clock.Now, connect.URL, false
		}))
		c := newCustomer(ctx, provider.Options{}, nil)
		c.expectKnownTo(ctx, strict.replica)
		Expect(strict.signIn(c.link()).Query().Get("error")).To(Equal("exchange_failed"))
		Expect(exchanges(c.Provider)).To(BeZero())
		c.expectUntouched(ctx)
	})
})
