// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// application is a provider that replaces a refresh token with each use, and ends the grant where one is used again.
type application struct {
	*httptest.Server
	mutex    sync.Mutex
	live     int
	lifetime time.Duration
	ended    bool
	requests []string
	revoked  []string
	// heard is all that token requests said: where they went, who from, and what they asked for.
	heard strings.Builder
	// answer, where set, is what it answers in place of tokens.
	answer func(w http.ResponseWriter)
	// before, where set, is called with every request for tokens.
	before func()
	// metadata is what it publishes of its endpoints.
	metadata string
}

func startApplication() *application {
	a := &application{lifetime: time.Hour}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", a.token)
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) { a.hear(r); http.NotFound(w, r) })
	mux.HandleFunc("POST /revoke", func(_ http.ResponseWriter, r *http.Request) {
		a.mutex.Lock()
		defer a.mutex.Unlock()
		a.revoked = append(a.revoked, r.PostFormValue("token"))
	})
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", a.publish)
	a.Server = httptest.NewServer(mux)
	DeferCleanup(a.Close)
	return a
}

func (a *application) refreshToken() string {
	return fmt.Sprintf("refresh-token-of-an-application-%d", a.live)
}

// hear notes a token request.
func (a *application) hear(r *http.Request) {
	_ = r.ParseForm()
	id, secret, _ := r.BasicAuth()
	a.mutex.Lock()
	defer a.mutex.Unlock()
	fmt.Fprintln(&a.heard, r.URL, id, secret, r.PostForm.Encode())
}

func (a *application) token(w http.ResponseWriter, r *http.Request) {
	a.hear(r)
	if a.before != nil {
		a.before()
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	presented := r.PostFormValue("refresh_token")
	a.requests = append(a.requests, presented)
	w.Header().Set("Content-Type", "application/json")
	switch id, secret, _ := r.BasicAuth(); {
	case a.answer != nil:
		a.answer(w)
		return
	case id != "our-app" || secret != "secret-of-our-app-registration":
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_client"}`))
		return
	case r.PostFormValue("grant_type") == "client_credentials":
	case a.ended || presented != a.refreshToken():
		a.ended = true
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	a.live++
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": fmt.Sprintf("access-token-of-an-application-%d", a.live), "refresh_token": a.refreshToken(),
		"token_type": "Bearer", "expires_in": int(a.lifetime.Seconds()), "scope": "crm.read",
	})
}

// hasRevoked reports whether it was told to revoke the refresh token that is live, and that once.
func (a *application) hasRevoked() bool {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return slices.Equal(a.revoked, []string{a.refreshToken()})
}

func (a *application) asked() int {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return len(a.requests)
}

// forConnections lets a manager call what runs on this machine.
func forConnections(o *app.ManagerOptions) {
	o.EgressAllow, o.EgressAllowHTTP = []string{"127.0.0.0/8"}, true
}

// connected makes an account with a connection to an application, whose tokens were imported.
func connected(ctx context.Context, to *application, authValue string) *v1alpha1.AccountConnector {
	GinkgoHelper()
	name := fresh()
	plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
	plane.Create(ctx,
		&v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ConnectorSpec{
			DisplayName: "An application", Grant: v1alpha1.GrantAuthorizationCode, AuthStyle: v1alpha1.AuthStyleBasic,
			AuthorizationURL: v1alpha1.ConnectorURL(to.URL + "/authorize"), TokenURL: v1alpha1.ConnectorURL(to.URL + "/token"),
			RevocationURL: v1alpha1.ConnectorURL(to.URL + "/revoke"), Refresh: v1alpha1.ConnectorRefresh{Rotation: v1alpha1.RotationStrict},
		}},
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "mine"},
			StringData: map[string]string{"secret": "secret-of-our-app-registration", "AuthValue": authValue},
		})
	from := func(key string) *v1alpha1.SecretValueSource {
		return &v1alpha1.SecretValueSource{SecretKeyRef: v1alpha1.SecretKeyReference{Name: "mine", Key: v1alpha1.SecretKey(key)}}
	}
	crm := &v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "crm"}, Spec: v1alpha1.AccountConnectorSpec{
		AccountRef: v1alpha1.AccountReference{Name: name}, ConnectorRef: v1alpha1.ConnectorReference{Name: name},
		Properties:    []v1alpha1.AccountProperty{{Name: "ClientId", Value: "our-app"}, {Name: "ClientSecret", ValueFrom: from("secret")}},
		AuthValueFrom: from("AuthValue"),
	}}
	plane.Create(ctx, crm)
	return crm
}

// readyReason is that of an AccountConnector, for its current generation.
func readyReason(ctx context.Context, of *v1alpha1.AccountConnector) string {
	if plane.API.Get(ctx, client.ObjectKeyFromObject(of), of) != nil || of.Status.ObservedGeneration != of.Generation {
		return ""
	}
	if ready := meta.FindStatusCondition(of.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return ""
}

func reasonOf(of *v1alpha1.AccountConnector, condition string) string {
	if found := meta.FindStatusCondition(of.Status.Conditions, condition); found != nil {
		return found.Reason
	}
	return ""
}

// toldAbout gives the reasons of the events about an AccountConnector.
func toldAbout(ctx context.Context, of *v1alpha1.AccountConnector) []string {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(plane.API.List(ctx, &list, client.InNamespace(of.Namespace))).To(Succeed())
	var reasons []string
	for i := range list.Items {
		if list.Items[i].Regarding.UID == of.UID {
			reasons = append(reasons, list.Items[i].Reason)
		}
	}
	return reasons
}

// content is the data of a Secret.
type content map[string][]byte

// GomegaString is what a failing test prints.
func (c content) GomegaString() string {
	return fmt.Sprintf("a Secret with the keys %q", slices.Sorted(maps.Keys(c)))
}

// has reports whether a key has a value. A matcher would print what it has instead.
func (c content) has(key, value string) bool { return string(c[key]) == value }

func outputOf(ctx context.Context, of *v1alpha1.AccountConnector) content {
	GinkgoHelper()
	secret := &corev1.Secret{}
	Expect(plane.API.Get(ctx, client.ObjectKey{Namespace: of.Namespace, Name: of.Status.Binding.Name}, secret)).To(Succeed())
	return secret.Data
}

// nudge has the manager look again: what changes with the clock of a test it learns within the hour.
func nudge(ctx context.Context, of *v1alpha1.AccountConnector) {
	GinkgoHelper()
	harness.Patch(ctx, plane, of, func(c *v1alpha1.AccountConnector) {
		c.Spec.SecretTemplate = &v1alpha1.ConnectionSecretTemplate{Annotations: map[string]v1alpha1.AnnotationValue{"nudge": v1alpha1.AnnotationValue(fresh())}}
	})
}

var _ = Describe("a connection", func() {
	It("by client credentials has a token of the application, which here is Claviger itself", func(ctx context.Context) {
		plane.StartManagerWith(forConnections)
		tokens := plane.StartTokenService()
		orders, _ := readyOrders(ctx, tokens)
		name := orders.Namespace
		plane.Create(ctx, &v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ConnectorSpec{
			DisplayName: "Claviger", Grant: v1alpha1.GrantClientCredentials, AuthStyle: v1alpha1.AuthStylePost,
			TokenURL: v1alpha1.ConnectorURL(tokens.URL + server.PathToken), Scopes: []v1alpha1.ProviderScope{"Webhook"},
		}})
		self := &v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "self"}, Spec: v1alpha1.AccountConnectorSpec{
			AccountRef: v1alpha1.AccountReference{Name: name}, ConnectorRef: v1alpha1.ConnectorReference{Name: name},
			Properties: []v1alpha1.AccountProperty{
				{Name: "ClientId", ValueFrom: &v1alpha1.SecretValueSource{SecretKeyRef: v1alpha1.SecretKeyReference{Name: "orders", Key: "client_id"}}},
				{Name: "ClientSecret", ValueFrom: &v1alpha1.SecretValueSource{SecretKeyRef: v1alpha1.SecretKeyReference{Name: "orders", Key: "client_secret"}}},
			},
		}}
		plane.Create(ctx, self)
		Eventually(readyReason).WithArguments(ctx, self).Should(Equal(v1alpha1.ReasonConnected))
		output := outputOf(ctx, self)
		Expect(tokens.Verify(string(output["access_token"]), "scope=Webhook&account="+name).Status).To(Equal(http.StatusOK))
		Expect(output).To(HaveKeyWithValue("scope", []byte("Webhook")))
		Expect(output).To(HaveKeyWithValue("account", []byte(name)))
		Expect(self.Status.ID).To(Equal(name + ".self"))
		Expect(self.Status.NextRefreshAt).NotTo(BeNil())
	})

	It("imports tokens once, refreshes them, and is told apart from what was imported", func(ctx context.Context) {
		clock := &harness.Clock{}
		plane.StartManagerWith(func(o *app.ManagerOptions) { forConnections(o); o.Clock = clock.Now })
		to := startApplication()
		crm := connected(ctx, to, fmt.Sprintf(`{"AccessToken":"access-token-that-was-imported","RefreshToken":%q,"Expires":%q}`,
			to.refreshToken(), time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
		Expect(outputOf(ctx, crm).has("access_token", "access-token-that-was-imported")).To(BeTrue())
		Expect(to.asked()).To(BeZero())

		clock.Advance(45 * time.Minute)
		nudge(ctx, crm)
		Eventually(func() bool { return outputOf(ctx, crm).has("access_token", "access-token-of-an-application-1") }).Should(BeTrue())
		nudge(ctx, crm)
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
		Expect(outputOf(ctx, crm).has("access_token", "access-token-of-an-application-1")).To(BeTrue(), "the same AuthValue is imported once")
		Expect(to.asked()).To(Equal(1))
		Expect(outputOf(ctx, crm)).NotTo(HaveKey("refresh_token"))

		By("an AuthValue that is none changes nothing")
		mine := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: crm.Namespace, Name: "mine"}}
		harness.Patch(ctx, plane, mine, func(s *corev1.Secret) { s.Data["AuthValue"] = []byte(`{"Token":"x"}`) })
		Eventually(func() string { _ = readyReason(ctx, crm); return reasonOf(crm, v1alpha1.ConditionAuthorized) }).Should(Equal(v1alpha1.ReasonInvalidAuthValue))
		Expect(outputOf(ctx, crm).has("access_token", "access-token-of-an-application-1")).To(BeTrue())

		By("the provider says that the grant has ended")
		harness.Patch(ctx, plane, mine, func(s *corev1.Secret) { s.Data["AuthValue"] = []byte(`{}`) })
		to.mutex.Lock()
		to.ended = true
		to.mutex.Unlock()
		clock.Advance(50 * time.Minute)
		nudge(ctx, crm)
		Eventually(func() string { _ = readyReason(ctx, crm); return reasonOf(crm, v1alpha1.ConditionAuthorized) }).Should(Equal(v1alpha1.ReasonReauthorizationRequired))
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected), "the access token lives until it expires")
		clock.Advance(20 * time.Minute)
		nudge(ctx, crm)
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonReauthorizationRequired))
	})

	It("keeps its grant while the provider does not take the client, and goes on with the right one", func(ctx context.Context) {
		plane.StartManagerWith(forConnections)
		to := startApplication()
		crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
		mine := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: crm.Namespace, Name: "mine"}}
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected), "a refresh token is enough")
		harness.Patch(ctx, plane, mine, func(s *corev1.Secret) { s.Data["secret"] = []byte("another-secret-that-is-wrong") })
		harness.Patch(ctx, plane, mine, func(s *corev1.Secret) {
			s.Data["AuthValue"] = fmt.Appendf(nil, `{"RefreshToken":%q}`, to.refreshToken())
		})
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonMisconfigured))
		asked := to.asked()
		nudge(ctx, crm)
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonMisconfigured))
		Expect(to.asked()).To(Equal(asked), "it is not asked again for the same")
		harness.Patch(ctx, plane, mine, func(s *corev1.Secret) { s.Data["secret"] = []byte("secret-of-our-app-registration") })
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
	})

	It("is revoked at the provider when it is deleted, and its record goes", func(ctx context.Context) {
		plane.StartManagerWith(forConnections)
		to := startApplication()
		crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
		record := client.ObjectKey{Namespace: config.ConnectionsNamespace, Name: "connection-" + string(crm.UID)}
		Expect(plane.API.Get(ctx, record, &corev1.Secret{})).To(Succeed())
		Expect(plane.API.Delete(ctx, crm)).To(Succeed())
		Eventually(func() bool { return apierrors.IsNotFound(plane.API.Get(ctx, client.ObjectKeyFromObject(crm), crm)) }).Should(BeTrue())
		Expect(apierrors.IsNotFound(plane.API.Get(ctx, record, &corev1.Secret{}))).To(BeTrue())
		Expect(to.hasRevoked()).To(BeTrue(), "the refresh token, once")
	})

	DescribeTable("whose use is not allowed has no token in its Secret, and keeps its grant",
		func(ctx context.Context, reason string, allow func(ctx context.Context, crm *v1alpha1.AccountConnector, allowed bool)) {
			clock := &harness.Clock{}
			plane.StartManagerWith(func(o *app.ManagerOptions) { forConnections(o); o.Clock = clock.Now })
			to := startApplication()
			crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
			harness.Patch(ctx, plane, crm, func(c *v1alpha1.AccountConnector) {
				c.Spec.SecretTemplate = &v1alpha1.ConnectionSecretTemplate{
					Keys: map[string]v1alpha1.SecretKey{"access_token": "token"},
					Data: map[string]v1alpha1.ValueTemplate{".env": "TOKEN={{ .AccessToken }}"},
				}
			})
			Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
			Eventually(outputOf).WithArguments(ctx, crm).Should(HaveKey(".env"))
			asked := to.asked()

			allow(ctx, crm, false)
			Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(reason))
			output := outputOf(ctx, crm)
			Expect(output).To(HaveKeyWithValue("account", []byte(crm.Namespace)))
			for _, key := range []string{"token", "access_token", "expires_at", ".env"} {
				Expect(output).NotTo(HaveKey(key))
			}
			Expect(crm.Status.NextRefreshAt).To(BeNil())
			clock.Advance(50 * time.Minute)
			harness.Patch(ctx, plane, crm, func(c *v1alpha1.AccountConnector) { c.Spec.Scopes = []v1alpha1.ProviderScope{"crm.read"} })
			Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(reason))
			Expect(to.asked()).To(Equal(asked), "nothing is refreshed")

			allow(ctx, crm, true)
			Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
			Eventually(func() bool {
				return outputOf(ctx, crm).has("token", fmt.Sprintf("access-token-of-an-application-%d", asked+1))
			}).Should(BeTrue())
			Expect(outputOf(ctx, crm)).To(HaveKey(".env"))
		},
		Entry("while it is suspended", v1alpha1.ReasonSuspended, func(ctx context.Context, crm *v1alpha1.AccountConnector, allowed bool) {
			harness.Patch(ctx, plane, crm, func(c *v1alpha1.AccountConnector) { c.Spec.Suspend = !allowed })
		}),
		Entry("while its account is", v1alpha1.ReasonAccountSuspended, func(ctx context.Context, crm *v1alpha1.AccountConnector, allowed bool) {
			account := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Name: crm.Spec.AccountRef.Name}}
			harness.Patch(ctx, plane, account, func(a *v1alpha1.Account) { a.Spec.Suspend = !allowed })
		}),
		Entry("while its account does not allow the namespace", v1alpha1.ReasonNamespaceNotAllowed, func(ctx context.Context, crm *v1alpha1.AccountConnector, allowed bool) {
			account := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Name: crm.Spec.AccountRef.Name}}
			harness.Patch(ctx, plane, account, func(a *v1alpha1.Account) {
				a.Spec.Namespaces.Names = []string{map[bool]string{true: crm.Namespace, false: "elsewhere"}[allowed]}
			})
		}),
	)

	It("has one output Secret, whatever that was called before", func(ctx context.Context) {
		plane.StartManagerWith(forConnections)
		to := startApplication()
		crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
		harness.Patch(ctx, plane, crm, func(c *v1alpha1.AccountConnector) {
			c.Spec.SecretTemplate = &v1alpha1.ConnectionSecretTemplate{Name: "renamed"}
		})
		renamed := client.ObjectKey{Namespace: crm.Namespace, Name: "renamed"}
		Eventually(func() error { return plane.API.Get(ctx, renamed, &corev1.Secret{}) }).Should(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(plane.API.Get(ctx, client.ObjectKeyFromObject(crm), &corev1.Secret{}))
		}).Should(BeTrue(), "the one of the former name is gone")
		Eventually(func() string { _ = readyReason(ctx, crm); return crm.Status.Binding.Name }).Should(Equal("renamed"))
	})

	It("warns before its grant ends, and is good until then", func(ctx context.Context) {
		clock := &harness.Clock{}
		plane.StartManagerWith(func(o *app.ManagerOptions) { forConnections(o); o.Clock = clock.Now })
		to := startApplication()
		crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
		healthy := func() string { _ = readyReason(ctx, crm); return reasonOf(crm, v1alpha1.ConditionRefreshHealthy) }
		harness.Patch(ctx, plane, &v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: crm.Spec.ConnectorRef.Name}}, func(c *v1alpha1.Connector) {
			c.Spec.Refresh.AbsoluteExpiry = &metav1.Duration{Duration: 100 * time.Hour}
		})
		Eventually(func() bool { return healthy() == v1alpha1.ReasonRefreshed && crm.Status.RefreshExpiresAt != nil }).Should(BeTrue())
		clock.Advance(76 * time.Hour)
		nudge(ctx, crm)
		Eventually(healthy).Should(Equal(v1alpha1.ReasonGrantExpiring))
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
		Eventually(toldAbout).WithArguments(ctx, crm).Should(ContainElement(v1alpha1.ReasonGrantExpiring))
	})

	It("is not held up by an application that does not answer, which is asked by few at a time", func(ctx context.Context) {
		plane.StartManagerWith(forConnections)
		away, well := startApplication(), startApplication()
		release := make(chan struct{})
		var free sync.Once
		defer free.Do(func() { close(release) })
		var waiting, most atomic.Int64
		away.before = func() {
			if now := waiting.Add(1); now > most.Load() {
				most.Store(now)
			}
			<-release
			waiting.Add(-1)
		}
		first := connected(ctx, away, `{}`)
		all := []*v1alpha1.AccountConnector{first}
		harness.Patch(ctx, plane, &v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: first.Spec.ConnectorRef.Name}}, func(c *v1alpha1.Connector) {
			c.Spec.Grant, c.Spec.AuthorizationURL = v1alpha1.GrantClientCredentials, ""
		})
		for i := range 11 {
			next := &v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{Namespace: first.Namespace, Name: fmt.Sprintf("crm-%d", i)}, Spec: first.Spec}
			plane.Create(ctx, next)
			all = append(all, next)
		}
		Eventually(waiting.Load).Should(BeEquivalentTo(4))
		other := connected(ctx, well, fmt.Sprintf(`{"RefreshToken":%q}`, well.refreshToken()))
		Eventually(readyReason).WithArguments(ctx, other).Should(Equal(v1alpha1.ReasonConnected))
		Expect(most.Load()).To(BeEquivalentTo(4))
		free.Do(func() { close(release) })
		for _, crm := range all {
			Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
		}
	})

	DescribeTable("says what is in the way", func(ctx context.Context, change func(*v1alpha1.AccountConnector), reason string) {
		plane.StartManagerWith(forConnections)
		to := startApplication()
		crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
		harness.Patch(ctx, plane, crm, change)
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(reason))
	},
		Entry("a property that there is not", func(c *v1alpha1.AccountConnector) {
			c.Spec.Properties = append(c.Spec.Properties, v1alpha1.AccountProperty{Name: "Subdomain", Value: "x"})
		}, v1alpha1.ReasonInvalidProperty),
		Entry("a suspension", func(c *v1alpha1.AccountConnector) { c.Spec.Suspend = true }, v1alpha1.ReasonSuspended),
		Entry("a template that is none", func(c *v1alpha1.AccountConnector) {
			c.Spec.SecretTemplate = &v1alpha1.ConnectionSecretTemplate{Data: map[string]v1alpha1.ValueTemplate{"x": "{{ .RefreshToken }}"}}
		}, v1alpha1.ReasonInvalidTemplate),
	)

	It("is through a Connector that says whether it can be used", func(ctx context.Context) {
		plane.StartManagerWith(forConnections)
		name := fresh()
		shared := &v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ConnectorSpec{
			DisplayName: "An application", Grant: v1alpha1.GrantClientCredentials, AuthStyle: v1alpha1.AuthStylePost, TokenURL: "https://example.com/token",
			Client: v1alpha1.ClientShared, ClientSecretRef: &v1alpha1.ConnectionsSecretReference{Name: name},
		}}
		ready := func() string {
			Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(shared), shared)).To(Succeed())
			if found := meta.FindStatusCondition(shared.Status.Conditions, v1alpha1.ConditionReady); found != nil {
				return found.Reason + ": " + found.Message
			}
			return ""
		}
		plane.Create(ctx, shared)
		Eventually(ready).Should(Equal("InvalidConnector: Secret " + name + " of spec.clientSecretRef does not exist in namespace claviger-connections"))
		plane.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: config.ConnectionsNamespace, Name: name},
			StringData: map[string]string{"client_id": "our-app", "client_secret": "secret-of-our-app-registration"},
		})
		Eventually(ready).Should(Equal("Available: Accounts can be connected to An application"))
	})

	It("follows the app registration of its Connector at once", func(ctx context.Context) {
		plane.StartManagerWith(forConnections)
		to := startApplication()
		crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
		entry := &v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: crm.Spec.ConnectorRef.Name}}
		harness.Patch(ctx, plane, entry, func(c *v1alpha1.Connector) {
			c.Spec.Client, c.Spec.ClientSecretRef = v1alpha1.ClientShared, &v1alpha1.ConnectionsSecretReference{Name: c.Name}
		})
		harness.Patch(ctx, plane, crm, func(c *v1alpha1.AccountConnector) { c.Spec.Properties = nil })
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonInvalidConnector))
		registration := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: config.ConnectionsNamespace, Name: entry.Name},
			StringData: map[string]string{"client_id": "another-app", "client_secret": "secret-of-our-app-registration"},
		}
		plane.Create(ctx, registration)
		Eventually(func() string { _ = readyReason(ctx, crm); return reasonOf(crm, v1alpha1.ConditionRefreshHealthy) }).Should(Equal(v1alpha1.ReasonClientChanged))
		harness.Patch(ctx, plane, registration, func(s *corev1.Secret) { s.Data["client_id"] = []byte("our-app") })
		Eventually(func() string { _ = readyReason(ctx, crm); return reasonOf(crm, v1alpha1.ConditionRefreshHealthy) }).Should(Equal(v1alpha1.ReasonRefreshed))
	})

	It("reaches nothing on this machine unless the operator allows it", func(ctx context.Context) {
		plane.StartManagerWith(func(o *app.ManagerOptions) { o.EgressAllowHTTP = true })
		to := startApplication()
		crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
		Eventually(func() string { _ = readyReason(ctx, crm); return reasonOf(crm, v1alpha1.ConditionRefreshHealthy) }).Should(Equal(v1alpha1.ReasonRefreshFailing))
		healthy := meta.FindStatusCondition(crm.Status.Conditions, v1alpha1.ConditionRefreshHealthy)
		Expect(healthy.Message).To(ContainSubstring("loopback"))
		Expect(strings.Contains(healthy.Message, "127.0.0.1")).To(BeFalse())
		Expect(to.asked()).To(BeZero())
	})
})
