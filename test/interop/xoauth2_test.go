// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// Where it is not told how a client authenticates, golang.org/x/oauth2 tries HTTP Basic and then the body.
var _ = Describe("golang.org/x/oauth2, which detects how a client authenticates", func() {
	var requests atomic.Int32
	var tokenURL string
	BeforeEach(func() {
		requests.Store(0)
		target, err := url.Parse(service.URL)
		Expect(err).NotTo(HaveOccurred())
		proxy := httputil.NewSingleHostReverseProxy(target)
		counting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			proxy.ServeHTTP(w, r)
		}))
		DeferCleanup(counting.Close)
		tokenURL = counting.URL + server.PathToken // another one each time: what was detected is remembered by URL
	})
	config := func(credentials harness.Credentials) *clientcredentials.Config {
		return &clientcredentials.Config{ClientID: credentials.ID, ClientSecret: credentials.Secret, TokenURL: tokenURL}
	}

	It("has its token with the first request", func(ctx context.Context) {
		token, err := config(orders).Token(ctx)
		Expect(err).NotTo(HaveOccurred())
		plane.Ledger.Add(token.AccessToken)
		Expect(requests.Load()).To(Equal(int32(1)))
	})

	It("tries a wrong secret twice, and spends nobody's budget but its own", func(ctx context.Context) {
		careless := builder.ClientCredential("acme", "careless", builder.ForAccount("acme"))
		newcomer := builder.ClientCredential("acme", "newcomer", builder.ForAccount("acme"))
		plane.Create(ctx, careless, newcomer)
		client, first := plane.ExpectReady(ctx, careless), plane.ExpectReady(ctx, newcomer)

		status, attempts := 0, 0
		for ; status != http.StatusTooManyRequests && attempts < 100; attempts++ {
			_, err := config(harness.Credentials{ID: client.ID, Secret: "wrong"}).Token(ctx)
			var failure *oauth2.RetrieveError
			Expect(errors.As(err, &failure)).To(BeTrue(), "%v", err)
			status = failure.Response.StatusCode
		}
		Expect(status).To(Equal(http.StatusTooManyRequests))
		Expect(requests.Load()).To(Equal(int32(2 * attempts)))
		Expect(service.Accepts(client)).To(BeFalse(), "its own budget is spent")

		Expect(service.Accepts(orders)).To(BeTrue(), "who has been here before is not held up")
		Eventually(service.Accepts).WithArguments(first).Should(BeTrue(), "nor is who comes for the first time")
	})
})
