// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/server/connectapi"
	"github.com/claviger/claviger/test/provider"
)

// grave is where the requests of a process end that has died: they are never answered, and nothing that would follow from an answer
// happens.
type grave struct {
	next http.RoundTripper
	// steps counts the requests about Secrets from when it is armed. At the one that is deadly the process dies: before it is sent or, where
	// late is set, before its answer is read.
	armed, late atomic.Bool
	steps       atomic.Int64
	deadly      atomic.Int64

	died    chan struct{}
	once    sync.Once
	release chan struct{}
}

func (g *grave) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.armed.Load() || !strings.Contains(r.URL.Path, "/secrets") {
		return g.next.RoundTrip(r)
	}
	step := g.steps.Add(1)
	switch {
	case step < g.deadly.Load():
		return g.next.RoundTrip(r)
	case step == g.deadly.Load() && g.late.Load():
		if response, err := g.next.RoundTrip(r); err == nil {
			_ = response.Body.Close()
		}
	}
	g.once.Do(func() { close(g.died) })
	<-g.release
	return nil, errAway
}

// mortal starts a replica that dies when it is told to.
func mortal() (*visitor, *grave) {
	GinkgoHelper()
	end := &grave{died: make(chan struct{}), release: make(chan struct{})}
	replica := plane.StartConnectThrough(tokens, func(next http.RoundTripper) http.RoundTripper {
		end.next = next
		return end
	}, func(o *app.ConnectOptions) { o.Clock, o.ConnectURL = clock.Now, connect.URL })
	DeferCleanup(func() { close(end.release) })
	return newBrowser(replica), end
}

// attempt does something with a replica that may die over it, and reports whether it did.
func (g *grave) attempt(do func()) bool {
	GinkgoHelper()
	done := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		defer close(done)
		do()
	}()
	select {
	case <-done:
		return false
	case <-g.died:
		return true
	}
}

// everyStep has a replica die at each of the requests about Secrets that something makes, until it makes no more.
func everyStep(late bool, try func(*visitor, *grave) (died bool)) {
	GinkgoHelper()
	for step := int64(1); ; step++ {
		b, end := mortal()
		end.late.Store(late)
		end.deadly.Store(step)
		By(fmt.Sprintf("dying at request %d", step))
		if !try(b, end) {
			Expect(step).To(BeNumerically(">", 4), "it makes several requests")
			return
		}
	}
}

var _ = Describe("a replica that dies", func() {
	DescribeTable("at any request of an exchange leaves the grant that there was, or the new one, and a user who can sign in again", func(ctx context.Context, late bool) {
		everyStep(late, func(b *visitor, end *grave) bool {
			c := newCustomer(ctx, provider.Options{Rotation: provider.Strict}, nil)
			newBrowser(connect).signIn(c.link())
			before := c.expectConnected(ctx)

			back := b.agree(b.follow(c.link()))
			end.armed.Store(true)
			died := end.attempt(func() { _, _ = b.Get(b.replica.URL + back.RequestURI()) })
			Consistently(func() bool { return c.AccessLive(c.accessToken(ctx)) }).WithTimeout(quick).Should(BeTrue(), "what the workload has is good")
			Expect(exchanges(c.Provider)).To(BeNumerically("<=", 2), "no code is presented twice")

			// Reloading the callback at another replica: it is taken where the first had not begun, and nothing else.
			b.replica = second
			Expect(b.back(back).Status).To(BeElementOf(http.StatusSeeOther, http.StatusBadRequest))
			Expect(exchanges(c.Provider)).To(BeNumerically("<=", 2))

			newBrowser(second).signIn(c.link())
			Eventually(c.accessToken).WithArguments(ctx).ShouldNot(Equal(before))
			c.expectConnected(ctx)
			Expect(c.PresentedAgain()).To(BeEmpty())
			return died
		})
	}, Entry("before the API server has it", false), Entry("once the API server has carried it out", true))

	DescribeTable("at any request of a link's button leaves a link that works, or is used up", func(ctx context.Context, late bool) {
		everyStep(late, func(b *visitor, end *grave) bool {
			c := newCustomer(ctx, provider.Options{}, nil)
			form := formOf(b.get(c.link()).Body)
			end.armed.Store(true)
			died := end.attempt(func() { _, _ = b.PostForm(b.replica.URL+connectapi.PathLink, form) })
			b.replica = second
			answer := b.post(form)
			Expect(answer.Status).To(BeElementOf(http.StatusSeeOther, http.StatusGone))
			if answer.Status == http.StatusGone {
				Expect(newBrowser(second).signIn(c.link()).String()).To(Equal(hostPage), "with another link")
			} else {
				Expect(b.back(b.agree(location(answer))).Status).To(Equal(http.StatusSeeOther))
			}
			c.expectConnected(ctx)
			return died
		})
	}, Entry("before the API server has it", false), Entry("once the API server has carried it out", true))
})
