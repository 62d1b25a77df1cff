// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/sandbox/loopback"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// forTLS has a manager publish the issuer that its own certificate is for.
func forTLS(o *app.ManagerOptions) { o.Issuer = harness.TLSIssuer }

// newCertificates deletes both Secrets, so that whoever comes makes new ones. Other specs use them too.
func newCertificates(ctx context.Context) {
	GinkgoHelper()
	for _, name := range []string{v1alpha1.AuthoritySecretName, v1alpha1.ServingSecretName} {
		Expect(client.IgnoreNotFound(plane.API.Delete(ctx, operatorSecret(name)))).To(Succeed())
	}
}

func operatorSecret(name string) *corev1.Secret {
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = config.Namespace, name
	return secret
}

// authoritySecret reads the Secret of the authority, which must exist.
func authoritySecret(ctx context.Context) *corev1.Secret {
	GinkgoHelper()
	secret := operatorSecret(v1alpha1.AuthoritySecretName)
	Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(secret), secret)).To(Succeed())
	return secret
}

// expectServing waits until there is a certificate.
func expectServing(ctx context.Context) *corev1.Secret {
	GinkgoHelper()
	Eventually(plane.ServingSecret).WithArguments(ctx).ShouldNot(BeNil())
	return plane.ServingSecret(ctx)
}

func leafIn(secret *corev1.Secret) *x509.Certificate {
	GinkgoHelper()
	block, _ := pem.Decode(secret.Data["tls.crt"])
	Expect(block).NotTo(BeNil())
	leaf, err := x509.ParseCertificate(block.Bytes)
	Expect(err).NotTo(HaveOccurred())
	return leaf
}

// presented gives the serial number of the certificate that a new connection to a token service gets.
func presented(tokens *harness.TokenService, bundle []byte) string {
	GinkgoHelper()
	return presentedAt(tokens.URL, bundle)
}

func presentedAt(url string, bundle []byte) string {
	GinkgoHelper()
	calling := harness.Trusting(bundle, nil)
	defer calling.CloseIdleConnections()
	response, err := calling.Get(url + "/healthz")
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	return response.TLS.PeerCertificates[0].SerialNumber.String()
}

// toldOf gives the reasons and notes of events about a Secret of the operator.
func toldOf(ctx context.Context, secret *corev1.Secret) []string {
	GinkgoHelper()
	var events eventsv1.EventList
	Expect(plane.API.List(ctx, &events, client.InNamespace(config.Namespace))).To(Succeed())
	var told []string
	for i := range events.Items {
		if event := &events.Items[i]; event.Regarding.UID == secret.UID {
			told = append(told, event.Reason+": "+event.Note)
		}
	}
	return told
}

var _ = Describe("certificates", func() {
	BeforeEach(newCertificates)

	It("a client with nothing but its Secret takes a token over TLS", func(ctx context.Context) {
		plane.StartManagerWith(forTLS)
		tokens := plane.StartTokenServiceWith(harness.WithTLS)
		orders, credentials := readyOrders(ctx, tokens)
		secret := plane.Secret(ctx, orders)
		serving := expectServing(ctx)
		Expect(secret.Data).To(HaveKeyWithValue("ca.crt", serving.Data["ca.crt"]))
		Expect(secret.Data).To(HaveKeyWithValue("token_url", []byte(harness.TLSIssuer+"/oauth/token")))
		Expect(serving.Type).To(Equal(corev1.SecretTypeTLS))
		Expect(leafIn(serving).DNSNames).To(ContainElements(
			"claviger-token-service", "claviger-token-service.claviger-system.svc", "claviger-token-service.claviger-system.svc.cluster.local"))

		By("with golang.org/x/oauth2")
		calling := context.WithValue(ctx, oauth2.HTTPClient, harness.Trusting(secret.Data["ca.crt"], nil))
		taken := clientcredentials.Config{ClientID: credentials.ID, ClientSecret: credentials.Secret, TokenURL: tokens.URL + "/oauth/token"}
		token, err := taken.Token(calling)
		Expect(err).NotTo(HaveOccurred())
		plane.Ledger.Add(token.AccessToken)
		Expect(tokens.Verify(token.AccessToken, "scope=Webhook&account="+orders.Namespace).Status).To(Equal(http.StatusOK))

		By("with curl")
		file := filepath.Join(GinkgoT().TempDir(), "ca.crt")
		Expect(os.WriteFile(file, secret.Data["ca.crt"], 0o600)).To(Succeed())
		curl := func(args ...string) string {
			address := strings.TrimPrefix(tokens.URL, "https://")
			args = append([]string{"--silent", "--show-error", "--connect-to", harness.TLSHost + ":443:" + address, "--write-out", "%{http_version} %{http_code}", "--output", os.DevNull}, args...)
			out, err := exec.CommandContext(ctx, "curl", args...).CombinedOutput()
			if err != nil {
				return err.Error() + ": " + string(out)
			}
			return string(out)
		}
		form := []string{
			"--data", "grant_type=client_credentials", "--data-urlencode", "client_id=" + credentials.ID,
			"--data-urlencode", "client_secret=" + credentials.Secret, harness.TLSIssuer + "/oauth/token",
		}
		Expect(curl(append([]string{"--cacert", file}, form...)...)).To(Equal("2 200"))
		Expect(curl(form...)).To(ContainSubstring("certificate"), "nobody else trusts it")
		Expect(tokens.Metrics()).To(ContainSubstring("claviger_serving_certificate_expiry_timestamp_seconds "))
	})

	It("Envoy asks over TLS, with the same certificate", func(ctx context.Context) {
		plane.StartManagerWith(forTLS)
		address, err := loopback.FreeAddress(ctx)
		Expect(err).NotTo(HaveOccurred())
		tokens := plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) {
			harness.WithTLS(o)
			o.ExtAuthz.ExtAuthzAddress = address
		})
		orders, keys := readyOrders(ctx, tokens)
		roots := x509.NewCertPool()
		Expect(roots.AppendCertsFromPEM(plane.Secret(ctx, orders).Data["ca.crt"])).To(BeTrue())
		check := func(transport credentials.TransportCredentials) (int32, error) {
			envoy, err := grpc.NewClient("dns:///"+address, grpc.WithTransportCredentials(transport))
			Expect(err).NotTo(HaveOccurred())
			defer envoy.Close()
			answer, err := authv3.NewAuthorizationClient(envoy).Check(ctx, &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
				ContextExtensions: map[string]string{"scope": "Webhook", "account": orders.Namespace},
				Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
					Method: "GET", Path: "/", Headers: map[string]string{"authorization": "Bearer " + tokens.TakeToken(keys)},
				}},
			}})
			return answer.GetStatus().GetCode(), err
		}
		Expect(check(credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: harness.TLSHost}))).To(BeEquivalentTo(codes.OK))
		_, err = check(insecure.NewCredentials())
		Expect(status.Code(err)).To(Equal(codes.Unavailable), "nobody speaks without TLS there")
		_, err = check(credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: "auth.example.com"}))
		Expect(status.Code(err)).To(Equal(codes.Unavailable), "it is the certificate of nobody else")
	})

	It("a gate serves a certificate from files, and follows them", func(ctx context.Context) {
		plane.StartManagerWith(forTLS)
		tokens := plane.StartTokenService()
		_, keys := readyOrders(ctx, tokens)
		files := GinkgoT().TempDir()
		mount := func(serving *corev1.Secret) {
			for _, name := range []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
				Expect(os.WriteFile(filepath.Join(files, name), serving.Data[name], 0o600)).To(Succeed())
			}
		}
		bundle := expectServing(ctx).Data["ca.crt"]
		mount(expectServing(ctx))
		upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Saw-Client", r.Header.Get("X-Claviger-Client-Id"))
		}))
		DeferCleanup(upstream.Close)
		gate := plane.StartGate(tokens, upstream.URL, func(o *app.GateOptions) {
			o.Scope, o.TLSCertFile, o.TLSKeyFile = "Webhook", filepath.Join(files, corev1.TLSCertKey), filepath.Join(files, corev1.TLSPrivateKeyKey)
		})
		calling := harness.Trusting(bundle, nil)
		DeferCleanup(calling.CloseIdleConnections)
		answer, err := calling.Do(gate.Request(ctx, tokens.TakeToken(keys)))
		Expect(err).NotTo(HaveOccurred())
		defer answer.Body.Close()
		Expect(answer.StatusCode).To(Equal(http.StatusOK))
		Expect(answer.Header.Get("Saw-Client")).To(Equal(keys.ID))
		Expect(answer.Proto).To(Equal("HTTP/2.0"))

		before := presentedAt(gate.URL, bundle)
		Expect(plane.API.Delete(ctx, expectServing(ctx))).To(Succeed())
		Eventually(func() string { return leafIn(expectServing(ctx)).SerialNumber.String() }).ShouldNot(Equal(before))
		mount(expectServing(ctx))
		Eventually(presentedAt).WithArguments(gate.URL, bundle).Should(Equal(leafIn(expectServing(ctx)).SerialNumber.String()))
	})

	It("a manager that starts again writes nothing", func(ctx context.Context) {
		counted := &writes{}
		first := plane.StartManagerWith(forTLS)
		serving := expectServing(ctx)
		name := fresh()
		orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), orders)
		plane.ExpectReady(ctx, orders)
		before := plane.Secret(ctx, orders)
		Expect(first.Stop()).To(Succeed())
		second := plane.StartManagerThrough(counted.wrap, forTLS)
		Eventually(second.Metrics).Should(And(
			ContainSubstring(`claviger_certificate_expiry_timestamp_seconds{secret="claviger-ca"}`),
			ContainSubstring(`claviger_certificate_expiry_timestamp_seconds{secret="claviger-token-service-tls"}`)))
		Consistently(func() int64 {
			return counted.concerning(v1alpha1.AuthoritySecretName) + counted.concerning(v1alpha1.ServingSecretName) + counted.concerning(name)
		}).WithTimeout(time.Second).Should(BeZero())
		Expect(plane.ServingSecret(ctx).ResourceVersion).To(Equal(serving.ResourceVersion))
		Expect(plane.Secret(ctx, orders).ResourceVersion).To(Equal(before.ResourceVersion))
	})

	DescribeTable("a certificate is made anew, and no connection fails", func(ctx context.Context, harm func(context.Context, *corev1.Secret)) {
		plane.StartManagerWith(forTLS)
		tokens := plane.StartTokenServiceWith(harness.WithTLS)
		bundle := expectServing(ctx).Data["ca.crt"]
		before := presented(tokens, bundle)
		harm(ctx, expectServing(ctx))
		Eventually(presented).WithArguments(tokens, bundle).ShouldNot(Equal(before))
		Expect(presented(tokens, bundle)).To(Equal(leafIn(expectServing(ctx)).SerialNumber.String()))
		Expect(expectServing(ctx).Data["ca.crt"]).To(Equal(bundle))
	},
		Entry("when it was deleted", func(ctx context.Context, secret *corev1.Secret) {
			Expect(plane.API.Delete(ctx, secret)).To(Succeed())
		}),
		Entry("when its key was damaged", func(ctx context.Context, secret *corev1.Secret) {
			harness.Patch(ctx, plane, secret, func(s *corev1.Secret) { s.Data["tls.key"] = []byte("damaged") })
		}),
		Entry("when its key was damaged and it is immutable", func(ctx context.Context, secret *corev1.Secret) {
			harness.Patch(ctx, plane, secret, func(s *corev1.Secret) { s.Data["tls.key"], s.Immutable = []byte("damaged"), new(true) })
		}),
	)

	It("a token service keeps its certificate when the Secret goes, and one that starts waits for one", func(ctx context.Context) {
		manager := plane.StartManagerWith(forTLS)
		tokens := plane.StartTokenServiceWith(harness.WithTLS)
		bundle := expectServing(ctx).Data["ca.crt"]
		before := presented(tokens, bundle)
		Expect(manager.Stop()).To(Succeed())
		harness.Patch(ctx, plane, expectServing(ctx), func(s *corev1.Secret) { s.Data["tls.crt"] = []byte("damaged") })
		Consistently(presented).WithArguments(tokens, bundle).WithTimeout(300 * time.Millisecond).Should(Equal(before))
		Expect(plane.API.Delete(ctx, expectServing(ctx))).To(Succeed())
		Consistently(presented).WithArguments(tokens, bundle).WithTimeout(300 * time.Millisecond).Should(Equal(before))
		Expect(tokens.Ready()).To(BeTrue())

		waiting := plane.LaunchTokenServiceWith(harness.WithTLS)
		Consistently(waiting.Ready).WithTimeout(500 * time.Millisecond).Should(BeFalse())
		plane.StartManagerWith(forTLS)
		Eventually(waiting.Ready).Should(BeTrue())
		Eventually(presented).WithArguments(tokens, bundle).ShouldNot(Equal(before))
		Expect(presented(waiting, bundle)).To(Equal(presented(tokens, bundle)))
	})

	It("other names take another certificate", func(ctx context.Context) {
		first := plane.StartManagerWith(forTLS)
		bundle := expectServing(ctx).Data["ca.crt"]
		Expect(first.Stop()).To(Succeed())
		plane.StartManagerWith(func(o *app.ManagerOptions) {
			forTLS(o)
			o.ServingDNSNames = []string{"Auth.example.com"}
		})
		Eventually(func() []string { return leafIn(expectServing(ctx)).DNSNames }).Should(ContainElement("auth.example.com"))
		Expect(expectServing(ctx).Data["ca.crt"]).To(Equal(bundle))
	})

	It("an authority that is deleted is trusted until its certificates are dead", func(ctx context.Context) {
		plane.StartManagerWith(forTLS)
		tokens := plane.StartTokenServiceWith(harness.WithTLS)
		orders, _ := readyOrders(ctx, tokens)
		before := expectServing(ctx)
		Expect(plane.API.Delete(ctx, authoritySecret(ctx))).To(Succeed())
		Eventually(func() int { return bytes.Count(expectServing(ctx).Data["ca.crt"], []byte("BEGIN CERTIFICATE")) }).Should(Equal(2))
		Expect(leafIn(expectServing(ctx))).To(Equal(leafIn(before)))
		Eventually(func() []byte { return plane.Secret(ctx, orders).Data["ca.crt"] }).Should(Equal(expectServing(ctx).Data["ca.crt"]))
	})

	It("a damaged authority is left alone, and somebody is told", func(ctx context.Context) {
		manager := plane.StartManagerWith(forTLS)
		serving := expectServing(ctx)
		authority := authoritySecret(ctx)
		whole := slices.Clone(authority.Data["tls.key"])
		harness.Patch(ctx, plane, authority, func(s *corev1.Secret) { s.Data["tls.key"] = []byte("damaged") })
		Eventually(toldOf).WithArguments(ctx, authority).Should(ContainElement(ContainSubstring("KeyMaterialDamaged: It is left alone; restore it")))
		Eventually(manager.Metrics).Should(ContainSubstring(`claviger_key_material_damaged{secret="claviger-ca"} 1`))
		Expect(authoritySecret(ctx).Data["tls.key"]).To(Equal([]byte("damaged")))
		Expect(expectServing(ctx).Data).To(Equal(serving.Data))
		harness.Patch(ctx, plane, authority, func(s *corev1.Secret) { s.Data["tls.key"] = whole })
		Eventually(manager.Metrics).Should(ContainSubstring(`claviger_key_material_damaged{secret="claviger-ca"} 0`))
	})
})
