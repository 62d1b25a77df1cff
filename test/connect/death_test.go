// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/server/connectapi"
	"github.com/claviger/claviger/test/provider"
)

// The requests about Secrets that a callback makes, in order: docs/connect.md#what-it-costs has how many. Between the third and the
// fourth the code is exchanged.
const (
	claim        = 2
	readGrant    = 3
	writeGrant   = 5
	callbackEnds = 6
)

// And those that a link's button makes.
const (
	createSession = 3
	useLink       = 4
)

// point is one of a replica's requests about Secrets: before the API server has it or, where late is set, once it has carried it out.
type point struct {
	step int
	late bool
}

func (p point) String() string {
	if p.late {
		return fmt.Sprintf("once request %d was carried out", p.step)
	}
	return fmt.Sprintf("before request %d", p.step)
}

// done reports whether a request was carried out before that.
func (p point) done(step int) bool { return p.step > step || p.step == step && p.late }

// points gives all up to a step.
func points(last int) []point {
	var all []point
	for step := 1; step <= last; step++ {
		all = append(all, point{step, false}, point{step, true})
	}
	return all
}

// grave stands between a replica and the API server, and holds up whoever comes to a point. As long as nobody wakes them they are dead:
// nothing that would follow from an answer happens.
type grave struct {
	next http.RoundTripper

	mutex sync.Mutex
	held  *held
	// closed ends it all.
	closed chan struct{}
}

// held is one who is held up.
type held struct {
	at point
	// names are those of the Secrets that are counted.
	names []string
	steps int
	// come is closed at the point, and wake has it go on.
	come, wake chan struct{}
}

// dig has the next one be held up who asks for Secrets of these names, or creates one.
func (g *grave) dig(at point, names ...string) *held {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.held = &held{at: at, names: names, come: make(chan struct{}), wake: make(chan struct{})}
	return g.held
}

// comes counts a request, and gives who is to be held up at it.
func (g *grave) comes(r *http.Request) *held {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	asks := func(name string) bool { return strings.HasSuffix(r.URL.Path, "/"+name) }
	if g.held == nil || !strings.Contains(r.URL.Path, "/secrets") || r.Method != http.MethodPost && !slices.ContainsFunc(g.held.names, asks) {
		return nil
	}
	g.held.steps++
	if g.held.steps < g.held.at.step {
		return nil
	}
	found := g.held
	g.held = nil
	return found
}

func (g *grave) RoundTrip(r *http.Request) (*http.Response, error) {
	found := g.comes(r)
	if found == nil {
		return g.next.RoundTrip(r)
	}
	var response *http.Response
	var err error
	if found.at.late {
		response, err = g.next.RoundTrip(r)
	}
	close(found.come)
	select {
	case <-found.wake:
		if found.at.late {
			return response, err
		}
		return g.next.RoundTrip(r)
	case <-g.closed:
		if response != nil {
			_ = response.Body.Close()
		}
		return nil, errAway
	}
}

func newGrave() *grave {
	g := &grave{closed: make(chan struct{})}
	DeferCleanup(func() { close(g.closed) })
	return g
}

// expect waits until somebody who does something is held up.
func (h *held) expect(do func()) {
	GinkgoHelper()
	go do()
	Eventually(h.come).WithTimeout(time.Minute).Should(BeClosed(), "it comes to the point: %s", h.at)
}

// kind is how refresh tokens behave, and how the Connector says that they do.
type kind struct {
	name     string
	really   provider.Rotation
	rotation v1alpha1.RefreshRotation
}

var kinds = []kind{
	{"keeps refresh tokens", provider.Keeps, v1alpha1.RotationNone},
	{"forgives for a while", provider.Forgives, v1alpha1.RotationGrace},
	{"ends the grant of a token that is used again", provider.Strict, v1alpha1.RotationStrict},
	{"takes each token once", provider.SingleUse, v1alpha1.RotationUnknown},
}

// customer is one of a provider of that kind.
func (k kind) customer(ctx context.Context) *customer {
	GinkgoHelper()
	return newCustomer(ctx, provider.Options{Rotation: k.really}, func(c *customer) { c.library.Spec.Refresh.Rotation = k.rotation })
}

// grantSecret names the Secret of its grant.
func (c *customer) grantSecret() string {
	return kube.Grants{Namespace: config.ConnectionsNamespace}.Key(string(c.connection.UID)).Name
}

// expectLive sees that what is kept is good at the provider, to be used and to be refreshed.
func (c *customer) expectLive(ctx context.Context) {
	GinkgoHelper()
	record := c.kept(ctx).Record
	Expect(c.AccessLive(record.AccessToken.Reveal())).To(BeTrue(), "the access token that is kept is good")
	Expect(c.RefreshLive(record.RefreshToken.Reveal())).To(BeTrue(), "the refresh token that is kept is good")
}

// expectToConnectAgain sees that a user can sign in.
func (c *customer) expectToConnectAgain(ctx context.Context) {
	GinkgoHelper()
	expectHost(newBrowser(second).signIn(c.link()))
	Eventually(func() bool { return c.published(ctx) == digest(c.kept(ctx).Record.AccessToken.Reveal()) }).Should(BeTrue(), "it is published")
	c.expectConnected(ctx)
	c.expectLive(ctx)
	Expect(c.PresentedAgain()).To(BeEmpty())
}

var _ = Describe("a replica that dies", Ordered, ContinueOnFailure, func() {
	var (
		graves  *grave
		mortals *visitor
	)
	BeforeAll(func() {
		graves = newGrave()
		mortals = newBrowser(plane.StartConnectThrough(tokens, func(next http.RoundTripper) http.RoundTripper {
			graves.next = next
			return graves
		}, func(o *app.ConnectOptions) { o.Clock, o.ConnectURL = clock.Now, connect.URL }))
	})

	for _, kind := range kinds {
		It("at any request of an exchange leaves the grant that there was, or the new one, of a provider that "+kind.name, func(ctx context.Context) {
			for _, at := range points(callbackEnds) {
				By(at.String())
				c := kind.customer(ctx)
				c.expectKnownTo(ctx, mortals.replica)
				newBrowser(connect).signIn(c.link())
				c.expectConnected(ctx)
				before := c.grant(ctx)

				b := newBrowser(mortals.replica)
				back := b.agree(b.follow(c.link()))
				graves.dig(at, sessionSecret(back.Query().Get("state")), c.grantSecret()).
					expect(func() { _, _ = b.Get(b.replica.URL + back.RequestURI()) })
				codes := 1
				if at.step > readGrant {
					codes++
				}
				Expect(exchanges(c.Provider)).To(Equal(codes))
				Expect(c.grant(ctx) != before).To(Equal(at.done(writeGrant)), "what is kept is new")
				c.expectLive(ctx)

				By("reloading the callback at another replica")
				b.replica = second
				answer := b.back(back)
				if at.done(claim) {
					Expect(problemOn(answer)).To(Equal("state_unknown"))
				} else {
					expectHost(location(answer))
					codes++
				}
				Expect(exchanges(c.Provider)).To(Equal(codes), "no code is presented twice")
				c.expectLive(ctx)
				c.expectToConnectAgain(ctx)
			}
		})
	}

	It("at any request of a link's button leaves a link that works, or is used up", func(ctx context.Context) {
		for _, at := range points(useLink) {
			By(at.String())
			c := newCustomer(ctx, provider.Options{}, nil)
			c.expectKnownTo(ctx, mortals.replica)
			token := c.signInToken()
			b := newBrowser(mortals.replica)
			form := formOf(b.get(linkOf(c.id(), token, hostPage)).Body)
			graves.dig(at, linkSecret(token), c.grantSecret()).
				expect(func() { _, _ = b.PostForm(b.replica.URL+connectapi.PathLink, form) })
			used := at.done(useLink)
			left := 1
			if at.done(createSession) && !used {
				left++
			}
			Expect(c.signInSecrets(ctx)).To(HaveLen(left), "a link, or a sign-in that nobody has the state of")

			b.replica = second
			answer := b.post(form)
			if used {
				Expect(problemOn(answer)).To(Equal("link_dead"))
			} else {
				expectHost(location(b.back(b.agree(location(answer)))))
			}
			c.expectToConnectAgain(ctx)
		}
	})
})
