// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/provider"
)

// races is how often a sign-in token is used at two replicas in the same instant.
const races = 1000

var _ = Describe("two replicas", func() {
	It("let a sign-in token that is used at both in the same instant be used once, each of 1 000 times", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		var once, twice, never atomic.Int64
		var all sync.WaitGroup
		next := make(chan struct{})
		for range 8 {
			all.Go(func() {
				defer GinkgoRecover()
				for range next {
					switch c.race() {
					case 0:
						never.Add(1)
					case 1:
						once.Add(1)
					default:
						twice.Add(1)
					}
				}
			})
		}
		for range races {
			next <- struct{}{}
		}
		close(next)
		all.Wait()
		Expect([]int64{once.Load(), twice.Load(), never.Load()}).To(Equal([]int64{races, 0, 0}), "once, twice, never")
	})
})

// race uses one token at both replicas at once, in one browser, and counts how often that succeeded.
func (c *customer) race() int {
	GinkgoHelper()
	b := newBrowser(connect)
	form := formOf(b.get(c.link()).Body)
	other := &visitor{Client: b.Client, replica: second}
	results := make(chan int, 2)
	start := make(chan struct{})
	for _, at := range []*visitor{b, other} {
		go func() {
			defer GinkgoRecover()
			<-start
			results <- at.post(form).Status
		}()
	}
	close(start)
	good := 0
	for range 2 {
		switch status := <-results; status {
		case http.StatusSeeOther:
			good++
		default:
			Expect(status).To(Equal(http.StatusGone))
		}
	}
	return good
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
		Eventually(func() int {
			return call(http.MethodGet, third.URL+"/v1.0/accounts/nobody/connectors/a.b", consoleToken(), "").Status
		}).Should(Equal(http.StatusNotFound))
	})

	It("says that it is not available, and the link works when it is back", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		link := c.link()
		away := func(*http.Request) bool { return true }
		cut.Store(&away)
		answer := replica.get(link)
		Expect(answer.Status).To(Equal(http.StatusServiceUnavailable))
		Expect(problemOn(answer)).To(Equal("unavailable"))
		Expect(call(http.MethodPost, replica.replica.URL+"/v1.0/accounts/"+c.name+"/signintoken", consoleToken(), `{"Username":"jane"}`).Status).
			To(Equal(http.StatusServiceUnavailable))
		cut.Store(nil)
		Expect(replica.signIn(link).String()).To(Equal(hostPage))
	})

	It("keeps the tokens when it is back a moment later", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		back := replica.agree(replica.follow(c.link()))
		since := time.Now()
		// All but the claim of the session, which comes first: the record cannot be written for a second.
		away := func(r *http.Request) bool {
			return strings.Contains(r.URL.Path, "/connection-") && r.Method == http.MethodPatch && time.Since(since) < time.Second
		}
		cut.Store(&away)
		Expect(replica.back(back).Status).To(Equal(http.StatusSeeOther))
		c.expectConnected(ctx)
		Expect(exchanges(c.Provider)).To(Equal(1))
	})

	It("keeps tokens once, where the answer to its write was lost", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		back := replica.agree(replica.follow(c.link()))
		first := once(http.MethodPatch)
		unanswered := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/connection-") && first(r) }
		lost.Store(&unanswered)
		Expect(location(replica.back(back)).String()).To(Equal(hostPage))
		c.expectConnected(ctx)
		Expect(exchanges(c.Provider)).To(Equal(1))
	})

	It("does not use a link up for nothing, where it cannot keep the session", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		link := c.link()
		form := formOf(replica.get(link).Body)
		noSession := func(r *http.Request) bool { return r.Method == http.MethodPost }
		cut.Store(&noSession)
		Expect(replica.post(form).Status).To(Equal(http.StatusServiceUnavailable))
		cut.Store(nil)
		Expect(replica.signIn(link).String()).To(Equal(hostPage))
	})

	It("tells the provider that nobody has its tokens, where they could not be kept", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
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

func revocations(of *provider.Provider) int {
	count := 0
	for _, request := range of.Requests() {
		if request.Path == provider.PathRevoke {
			count++
		}
	}
	return count
}
