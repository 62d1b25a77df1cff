// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/provider"
)

// A bench and not a test: make bench-connections runs it, for as long as it is told.
var (
	benchFor   = flag.Duration("bench-for", 0, "keep many connections with tokens of a minute alive for that long, and count what it takes")
	benchCount = flag.Int("bench-connections", 1000, "how many")
)

const (
	// shortest is the lifetime of their tokens.
	shortest = time.Minute
	// between is how long it is from one sample to the next.
	between = 5 * time.Second
)

var _ = Describe("many connections with tokens of a minute", func() {
	if *benchFor == 0 {
		return
	}
	It("have a live token in every Secret all the time, and no refresh token is presented twice", func(ctx context.Context) {
		writes := &tally{counts: map[string]int{}}
		them := provider.Start(provider.Options{Lifetime: shortest, Rotation: provider.Strict})
		DeferCleanup(them.Close)
		plane.StartManagerThrough(writes.wrap, reaching(nil))
		namespace := many(ctx, them, *benchCount)
		Eventually(func() int { return len(outputs(ctx, namespace)) }).WithTimeout(10*time.Minute).WithPolling(time.Second).
			Should(Equal(*benchCount), "all of them are connected")

		bench := &bench{provider: them, began: time.Now(), least: shortest}
		before := moment{them.Accepted(), writes.all()}
		for time.Since(bench.began) < *benchFor {
			time.Sleep(between)
			bench.sample(outputs(ctx, namespace))
			fmt.Fprintln(os.Stderr, bench)
		}
		// Both of the same moment, or what is under way then counts as one and not as the other. A refresh is four writes in some order, so
		// those that are under way are a few in either.
		after := moment{them.Accepted(), writes.all()}
		AddReportEntry("what it took", bench.report(before, after))
		Expect(after.refreshes).To(BeNumerically(">", before.refreshes), "tokens were refreshed")
		Expect(bench.dead).To(BeZero(), "tokens that were dead when they were looked at")
		Expect(them.PresentedAgain()).To(BeEmpty())
	})
})

// many makes so many connections by one Connector with one app registration, each with tokens to import, and gives their namespace.
func many(ctx context.Context, them *provider.Provider, count int) string {
	GinkgoHelper()
	namespace := home(ctx)
	plane.Namespace(ctx, namespace, nil)
	plane.Create(ctx,
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: config.ConnectionsNamespace, Name: namespace},
			StringData: map[string]string{"client_id": provider.ClientID, "client_secret": provider.ClientSecret},
		},
		&v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: namespace}, Spec: v1alpha1.ConnectorSpec{
			DisplayName: "An application", Grant: v1alpha1.GrantAuthorizationCode, AuthStyle: v1alpha1.AuthStyleBasic,
			Client: v1alpha1.ClientShared, ClientSecretRef: &v1alpha1.ConnectionsSecretReference{Name: namespace},
			AuthorizationURL: v1alpha1.ConnectorURL(them.URL + provider.PathAuthorize), TokenURL: v1alpha1.ConnectorURL(them.URL + provider.PathToken),
			Refresh: v1alpha1.ConnectorRefresh{Rotation: v1alpha1.RotationStrict},
		}})
	for i := range count {
		name := fmt.Sprintf("crm-%d", i)
		// Not by Create, which cleans up one by one: the control plane goes with them.
		Expect(plane.API.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name + "-tokens"},
			StringData: map[string]string{"AuthValue": authValue(them.Give("crm.read"))},
		})).To(Succeed())
		Expect(plane.API.Create(ctx, &v1alpha1.AccountConnector{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: v1alpha1.AccountConnectorSpec{
				AccountRef: v1alpha1.AccountReference{Name: namespace}, ConnectorRef: v1alpha1.ConnectorReference{Name: namespace},
				AuthValueFrom: &v1alpha1.SecretValueSource{SecretKeyRef: v1alpha1.SecretKeyReference{Name: name + "-tokens", Key: "AuthValue"}},
			},
		})).To(Succeed())
	}
	return namespace
}

// outputs gives the access tokens in all output Secrets.
func outputs(ctx context.Context, namespace string) []string {
	GinkgoHelper()
	var secrets corev1.SecretList
	Expect(plane.API.List(ctx, &secrets, client.InNamespace(namespace),
		client.MatchingLabels{v1alpha1.LabelSecret: v1alpha1.PurposeConnectionToken})).To(Succeed())
	var tokens []string
	for i := range secrets.Items {
		tokens = append(tokens, string(secrets.Items[i].Data["access_token"]))
	}
	return tokens
}

// bench is what was seen so far.
type bench struct {
	provider      *provider.Provider
	began         time.Time
	samples, dead int
	least         time.Duration
}

func (b *bench) sample(tokens []string) {
	b.samples++
	b.dead += *benchCount - len(tokens)
	for _, token := range tokens {
		left := b.provider.AccessLeft(token)
		if left <= 0 {
			b.dead++
		}
		b.least = min(b.least, left)
	}
}

// moment is what was counted until then.
type moment struct {
	refreshes int
	writes    map[string]int
}

func (b *bench) String() string {
	return fmt.Sprintf("%s: %d samples, %d tokens dead, %d presented twice, at least %s left",
		time.Since(b.began).Round(time.Second), b.samples, b.dead, len(b.provider.PresentedAgain()), b.least.Round(time.Second))
}

// report says what it took, in whole numbers, and for each refresh. What is told of each kind of write adds up to what is told of all.
func (b *bench) report(before, after moment) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d connections, %s\n", *benchCount, b)
	refreshes, total := after.refreshes-before.refreshes, 0
	fmt.Fprintf(&text, "%d refreshes, %.1f a second\n", refreshes, float64(refreshes)/time.Since(b.began).Seconds())
	tell := func(count int, what string) {
		fmt.Fprintf(&text, "%d writes, %.2f a refresh: %s\n", count, float64(count)/float64(max(refreshes, 1)), what)
	}
	for _, what := range slices.Sorted(maps.Keys(after.writes)) {
		count := after.writes[what] - before.writes[what]
		total += count
		tell(count, what)
	}
	tell(total, "in all")
	return text.String()
}

// tally counts the manager's writes, by what they write.
type tally struct {
	mutex  sync.Mutex
	counts map[string]int
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (t *tally) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodGet {
			t.mutex.Lock()
			t.counts[written(r)]++
			t.mutex.Unlock()
		}
		return next.RoundTrip(r)
	})
}

// written says what a request writes.
func written(r *http.Request) string {
	switch path := r.URL.Path; {
	case strings.Contains(path, "/secrets/connection-"):
		return "record"
	case strings.Contains(path, "/accountconnectors/") && strings.HasSuffix(path, "/status"):
		return "status"
	case strings.Contains(path, "/secrets"):
		return "output Secret"
	case strings.Contains(path, "/events"):
		return "event"
	default:
		return "others"
	}
}

func (t *tally) all() map[string]int {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return maps.Clone(t.counts)
}
