// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/server/connectapi"
	"github.com/claviger/claviger/test/provider"
)

// races is how often a sign-in token is used at two replicas in the same instant.
const races = 1000

var _ = Describe("two replicas", func() {
	It("let a sign-in token that two browsers use at both in the same instant be used once, each of 1 000 times", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		var begun, outcomes [3]atomic.Int64
		var next atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				defer GinkgoRecover()
				for next.Add(1) <= races {
					good, dead := c.race()
					begun[good].Add(1)
					outcomes[dead].Add(1)
				}
			})
		}
		all.Wait()
		counts := func(of *[3]atomic.Int64) []int64 { return []int64{of[0].Load(), of[1].Load(), of[2].Load()} }
		Expect(counts(&begun)).To(Equal([]int64{0, races, 0}), "how often none, one and both went on to the application")
		Expect(counts(&outcomes)).To(Equal([]int64{0, races, 0}), "how often none, one and both were told that the link is used")
	})
})

// race uses one token in two browsers, each at a replica of its own, at once. It counts who went on, and who was told that it is used.
func (c *customer) race() (good, dead int) {
	GinkgoHelper()
	link := c.link()
	var both sync.WaitGroup
	var statuses [2]int
	start := make(chan struct{})
	for i, b := range []*visitor{newBrowser(connect), newBrowser(second)} {
		form := formOf(b.get(link).Body)
		both.Go(func() {
			<-start
			if answer, err := b.PostForm(b.replica.URL+connectapi.PathLink, form); err == nil {
				statuses[i] = answer.StatusCode
				_ = answer.Body.Close()
			}
		})
	}
	close(start)
	both.Wait()
	for _, status := range statuses {
		switch status {
		case http.StatusSeeOther:
			good++
		case http.StatusGone:
			dead++
		}
	}
	return good, dead
}

// severed lets through what it is told to, and fails everything else as if the API server were away.
type severed struct {
	next http.RoundTripper
	fail func(*http.Request) bool
	// after fails what was done: the answer is lost.
	after func(*http.Request) bool
}

var errAway = errors.New("the API server is away")

func (s *severed) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.fail != nil && s.fail(r) {
		return nil, errAway
	}
	response, err := s.next.RoundTrip(r)
	if err == nil && s.after != nil && s.after(r) {
		_ = response.Body.Close()
		return nil, errAway
	}
	return response, err
}

var _ = Describe("a replica whose API server is away", func() {
	var (
		line    *severed
		cut     atomic.Pointer[func(*http.Request) bool]
		lost    atomic.Pointer[func(*http.Request) bool]
		replica *visitor
	)
	matches := func(rule *atomic.Pointer[func(*http.Request) bool]) func(*http.Request) bool {
		return func(r *http.Request) bool {
			decide := rule.Load()
			return decide != nil && strings.Contains(r.URL.Path, "/secrets") && (*decide)(r)
		}
	}
	// once gives a rule that holds for the first request of that method.
	once := func(method string) func(*http.Request) bool {
		var done atomic.Bool
		return func(r *http.Request) bool { return r.Method == method && done.CompareAndSwap(false, true) }
	}
	BeforeEach(func() {
		cut.Store(nil)
		lost.Store(nil)
		third := plane.StartConnectThrough(tokens, func(next http.RoundTripper) http.RoundTripper {
			line = &severed{next: next, fail: matches(&cut), after: matches(&lost)}
			return line
		}, func(o *app.ConnectOptions) { o.Clock, o.ConnectURL = clock.Now, connect.URL })
		replica = newBrowser(third)
		expectToKnowHost(third)
	})

	It("says that it is not available, and the link works when it is back", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		c.expectKnownTo(ctx, replica.replica)
		link := c.link()
		away := func(*http.Request) bool { return true }
		cut.Store(&away)
		answer := replica.get(link)
		Expect(answer.Status).To(Equal(http.StatusServiceUnavailable))
		Expect(problemOn(answer)).To(Equal("unavailable"))
		Expect(call(http.MethodPost, replica.replica.URL+"/v1.0/accounts/"+c.name+"/signintoken", consoleToken(), `{"Username":"jane"}`).Status).
			To(Equal(http.StatusServiceUnavailable))
		cut.Store(nil)
		expectHost(replica.signIn(link))
	})

	It("keeps the tokens when it is back a moment later", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		c.expectKnownTo(ctx, replica.replica)
		back := replica.agree(replica.follow(c.link()))
		var writes atomic.Int64
		away := func(r *http.Request) bool {
			return strings.Contains(r.URL.Path, "/connection-") && r.Method == http.MethodPatch && writes.Add(1) <= 5
		}
		cut.Store(&away)
		Expect(replica.back(back).Status).To(Equal(http.StatusSeeOther))
		c.expectConnected(ctx)
		Expect(exchanges(c.Provider)).To(Equal(1))
		Expect(writes.Load()).To(Equal(int64(6)), "five that failed, and one")
	})

	It("keeps tokens once, where the answer to its write was lost", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		c.expectKnownTo(ctx, replica.replica)
		back := replica.agree(replica.follow(c.link()))
		first := once(http.MethodPatch)
		unanswered := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/connection-") && first(r) }
		lost.Store(&unanswered)
		expectHost(location(replica.back(back)))
		c.expectConnected(ctx)
		Expect(exchanges(c.Provider)).To(Equal(1))
	})

	It("does not use a link up for nothing, where it cannot keep the session", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		c.expectKnownTo(ctx, replica.replica)
		link := c.link()
		form := formOf(replica.get(link).Body)
		noSession := func(r *http.Request) bool { return r.Method == http.MethodPost }
		cut.Store(&noSession)
		Expect(replica.post(form).Status).To(Equal(http.StatusServiceUnavailable))
		cut.Store(nil)
		expectHost(replica.signIn(link))
	})

	It("tells the provider that nobody has its tokens, where they could not be kept", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		c.expectKnownTo(ctx, replica.replica)
		back := replica.agree(replica.follow(c.link()))
		// The connection is deleted while the provider redeems the code.
		c.Watch(func(step provider.Step) {
			if step == provider.Done {
				Expect(plane.API.Delete(ctx, c.connection)).To(Succeed())
				Eventually(func() bool { return apierrors.IsNotFound(plane.API.Get(ctx, keyOf(c.connection), c.connection)) }).Should(BeTrue())
			}
		})
		Expect(location(replica.back(back)).Query().Get("error")).To(Equal("connection_changed"))
		Expect(revocations(c.Provider)).To(Equal(1))
	})
})
