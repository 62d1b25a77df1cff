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

		bench := &bench{provider: them, accepted: them.Accepted(), began: time.Now(), least: shortest}
		before := writes.all()
		for time.Since(bench.began) < *benchFor {
			time.Sleep(between)
			bench.sample(outputs(ctx, namespace))
			fmt.Fprintln(os.Stderr, bench)
		}
		AddReportEntry("what it took", bench.report(before, writes.all()))
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
	accepted      int // before it began
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

func (b *bench) refreshes() int { return b.provider.Accepted() - b.accepted }

func (b *bench) String() string {
	return fmt.Sprintf("%s: %d refreshes, %d samples, %d tokens dead, %d presented twice, at least %s left",
		time.Since(b.began).Round(time.Second), b.refreshes(), b.samples, b.dead, len(b.provider.PresentedAgain()), b.least.Round(time.Second))
}

func (b *bench) report(before, after map[string]int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d connections, %s\n", *benchCount, b)
	refreshes, total := float64(max(b.refreshes(), 1)), 0.0
	fmt.Fprintf(&text, "%.1f refreshes a second\n", refreshes/time.Since(b.began).Seconds())
	for _, what := range slices.Sorted(maps.Keys(after)) {
		each := float64(after[what]-before[what]) / refreshes
		total += each
		fmt.Fprintf(&text, "%.2f writes a refresh: %s\n", each, what)
	}
	fmt.Fprintf(&text, "%.2f writes a refresh in all", total)
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
