// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/test/harness"
)

var _ = It("signing keys rotate by themselves, and no token is refused", func(ctx context.Context) {
	const step, steps = 10 * time.Minute, 45 // more than three intervals, and the end of the first key
	schedule := keyring.Schedule{Interval: 2 * time.Hour, Lead: 30 * time.Minute, MaxTokenLifetime: 3 * time.Hour, Algorithm: keyring.AlgorithmES256}
	newSigningKeys(ctx)
	clock := &harness.Clock{}
	plane.StartManagerWith(func(o *app.ManagerOptions) {
		o.Clock, o.MaxTokenExpiryMinutes = clock.Now, int32(schedule.MaxTokenLifetime/time.Minute)
		o.SigningKeyInterval, o.SigningKeyLead = schedule.Interval, schedule.Lead
	})
	load := &load{clock: clock, keys: sets.New[string]()}
	for i := range load.replicas {
		load.replicas[i] = plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) {
			o.Clock, o.MaxTokenExpiryMinutes = clock.Now, int32(schedule.MaxTokenLifetime/time.Minute)
		})
	}
	orders, holder := readyOrders(ctx, load.replicas[0])
	Eventually(load.replicas[1].Accepts).WithArguments(holder).Should(BeTrue())
	load.holder, load.place = holder, "scope=Webhook&account="+orders.Namespace
	first := published(load.replicas[0])
	Expect(first).To(HaveLen(1))

	stop := load.run()
	most := 0
	for range steps {
		clock.Advance(step)
		annotateKeys(ctx, "look", clock.Now().String())
		Eventually(isSettled).WithArguments(ctx, schedule, clock).WithPolling(10*time.Millisecond).Should(BeTrue(), "the manager does what is due")
		for _, replica := range load.replicas {
			Eventually(published).WithArguments(replica).WithPolling(10 * time.Millisecond).Should(Equal(stored(ctx)))
		}
		most = max(most, len(stored(ctx)))
		rounds := load.rounds.Load()
		Eventually(load.rounds.Load).WithPolling(10*time.Millisecond).Should(BeNumerically(">", rounds+4*workers), "the load goes on")
	}
	stop()

	Expect(load.refusals).To(BeEmpty())
	Expect(load.keys.Len()).To(BeNumerically(">=", 4), "three rotations make four keys that sign")
	Expect(most).To(BeNumerically("<=", schedule.Peak()+1))
	for _, replica := range load.replicas {
		Expect(published(replica)).NotTo(ContainElement(first[0]), "its last token has expired")
	}
	Eventually(eventsAbout).WithArguments(ctx, "SigningKeyRemoved", first[0]).Should(Equal(1))
	AddReportEntry("key rotation under load", fmt.Sprintf("%d tokens issued and %d verified over %d signing keys, at most %d of them at a time: %d refused",
		load.issued.Load(), load.verified.Load(), load.keys.Len(), most, len(load.refusals)))
})

// workers is how many clients take and use tokens at the same time.
const workers = 4

// load is clients that take tokens from either replica, and use those that are good at both.
type load struct {
	clock    *harness.Clock
	replicas [2]*harness.TokenService
	holder   harness.Credentials
	place    string

	rounds, issued, verified atomic.Int64

	mutex    sync.Mutex
	keys     sets.Set[string]
	refusals []string
}

// bearer is a token and what it says.
type bearer struct {
	raw, key  string
	expiresAt time.Time
}

// run starts the clients, and gives what stops them.
func (l *load) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	for range workers {
		clients.Go(func() {
			defer GinkgoRecover()
			var bearers []bearer
			for ctx.Err() == nil {
				bearers = l.round(bearers)
				l.rounds.Add(1)
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); clients.Wait() })
	DeferCleanup(stop) // before the replicas end, also where the spec fails
	return stop
}

// Each client holds so many tokens, of all ages, and uses a few of them in each round.
const held, used = 64, 4

// round takes a token, and uses some at both replicas.
func (l *load) round(bearers []bearer) []bearer {
	answer, token := l.replicas[mathrand.IntN(2)].PostToken(l.holder.Form())
	if answer.Status != http.StatusOK {
		l.refuse("a token request: %d %s", answer.Status, token.Error)
		return bearers
	}
	l.issued.Add(1)
	taken := read(token.AccessToken)
	l.mutex.Lock()
	l.keys.Insert(taken.key)
	l.mutex.Unlock()
	bearers = append(bearers, taken)
	if len(bearers) > held {
		bearers = drop(bearers, mathrand.IntN(len(bearers)))
	}
	for range used {
		if i := mathrand.IntN(len(bearers)); !l.use(bearers[i]) && len(bearers) > 1 {
			bearers = drop(bearers, i)
		}
	}
	return bearers
}

func drop(bearers []bearer, i int) []bearer {
	return append(bearers[:i], bearers[i+1:]...)
}

// use has both replicas verify a token, and reports whether it is still good.
func (l *load) use(b bearer) bool {
	for i, replica := range l.replicas {
		answer := replica.Verify(b.raw, l.place)
		if !l.clock.Now().Before(b.expiresAt) {
			return false // perhaps it was good when it was asked about, perhaps not
		}
		l.verified.Add(1)
		if answer.Status != http.StatusOK {
			l.refuse("replica %d, a token of key %s that is good for %v: %d", i, b.key, b.expiresAt.Sub(l.clock.Now()), answer.Status)
		}
	}
	return true
}

func (l *load) refuse(format string, arguments ...any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.refusals = append(l.refusals, fmt.Sprintf(format, arguments...))
}

// isSettled reports whether there is nothing left to do with the signing keys.
func isSettled(ctx context.Context, schedule keyring.Schedule, clock *harness.Clock) bool {
	GinkgoHelper()
	plan, err := schedule.Plan(rand.Reader, signingKeys(ctx), keyring.Request{}, clock.Now())
	Expect(err).NotTo(HaveOccurred())
	return !plan.Changed
}

// signingKeys reads what is stored.
func signingKeys(ctx context.Context) keyring.Document {
	GinkgoHelper()
	document, err := keyring.DecodeDocument(keysSecret(ctx).Data)
	Expect(err).NotTo(HaveOccurred())
	return document
}

// stored gives the IDs of the keys that are stored, the newest first.
func stored(ctx context.Context) []string {
	GinkgoHelper()
	var ids []string
	for _, key := range signingKeys(ctx).Keys {
		ids = append(ids, key.ID)
	}
	return ids
}

// keyOf gives the ID of the key that a token was signed with.
func keyOf(token string) string { return read(token).key }

// read reads header and claims of a token, as anybody can.
func read(token string) bearer {
	GinkgoHelper()
	var header struct {
		KeyID string `json:"kid"`
	}
	var claims struct {
		Expiry int64 `json:"exp"`
	}
	parts := strings.Split(token, ".")
	Expect(parts).To(HaveLen(3))
	for i, into := range []any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		Expect(err).NotTo(HaveOccurred())
		Expect(json.Unmarshal(raw, into)).To(Succeed())
	}
	return bearer{raw: token, key: header.KeyID, expiresAt: time.Unix(claims.Expiry, 0)}
}
