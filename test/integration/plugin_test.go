// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/leak"
)

var _ = Describe("kubectl claviger", func() {
	var (
		tokens      *harness.TokenService
		orders      *v1alpha1.ClientCredential
		credentials harness.Credentials
		namespace   string
		cli         kubectl
	)
	BeforeEach(func(ctx context.Context) {
		plane.StartManager(nil)
		tokens = plane.StartTokenService()
		orders, credentials = readyOrders(ctx, tokens)
		namespace = orders.Namespace
		cli = newKubectl(namespace)
	})
	// The token service does not listen where its issuer says, so every command is told where.
	take := func(ctx context.Context, args ...string) string {
		GinkgoHelper()
		taken := cli.does(ctx, append(args, "--token-url", tokens.URL+server.PathToken)...)
		Expect(leak.Holds(taken, credentials.Secret)).To(BeFalse(), "the client secret is not printed")
		token := strings.TrimSpace(strings.TrimPrefix(taken, "Authorization: Bearer "))
		plane.Ledger.Add(token)
		return token
	}
	verify := func(ctx context.Context, token string, place ...string) said {
		GinkgoHelper()
		return cli.claviger(ctx, token, append([]string{"verify", "-", "--jwks-url", tokens.URL + server.PathJWKS}, place...)...)
	}
	revoke := func(ctx context.Context, token string, args ...string) said {
		GinkgoHelper()
		return cli.claviger(ctx, token, append([]string{"revoke", "-", "--jwks-url", tokens.URL + server.PathJWKS}, args...)...)
	}
	works := func(token string) bool {
		return tokens.Verify(token, "scope=Webhook&account="+namespace).Status == http.StatusOK
	}

	It("shows what there is", func(ctx context.Context) {
		table := cli.does(ctx, "status")
		Expect(table).To(MatchRegexp(`(?m)^NAME +ACCOUNT +CLIENT ID +SECRET +READY +REASON +NEXT ROTATION +AGE$`))
		Expect(table).To(MatchRegexp(`(?m)^orders +` + namespace + ` +` + namespace + `\.orders +orders +True +Issued +<none> +`))
		Expect(cli.does(ctx, "status", "-A")).To(MatchRegexp(`(?m)^` + namespace + ` +orders `))
		Expect(cli.claviger(ctx, "", "status", "-l", "team=none")).To(Equal(said{err: "No credentials found in namespace " + namespace + ".\n"}))

		one := cli.does(ctx, "status", "orders")
		Expect(one).To(MatchRegexp(`(?m)^  Keys: +account, client_id, client_secret, issuer, provider, scope, token_url, type$`))
		Expect(one).To(MatchRegexp(`(?m)^  Current: +published .* ago\)$|^  Current: +published .*\(now\)$`))
		Expect(one).To(MatchRegexp(`(?m)^  Ready: +True, Issued: `))
		Expect(one).NotTo(ContainSubstring("What to do"))
		Expect(cli.does(ctx, "status", "account/"+namespace)).To(MatchRegexp(`(?m)^Namespaces: +` + namespace + `$`))

		Expect(cli.does(ctx, "status", "-o", "name")).To(Equal("clientcredential.claviger.dev/orders\n"))
		Expect(cli.does(ctx, "status", "orders", "-o", "jsonpath={.status.clientID}")).To(Equal(credentials.ID))
		var list v1alpha1.ClientCredentialList
		Expect(json.Unmarshal([]byte(cli.does(ctx, "status", "-o", "json")), &list)).To(Succeed())
		Expect(list.Kind).To(Equal("ClientCredentialList"))
		Expect(list.Items).To(HaveLen(1))
		Expect(list.Items[0].Kind).To(Equal("ClientCredential"))

		Expect(cli.fails(ctx, "status", "nobody")).To(ContainSubstring("See which there are: kubectl claviger status"))
		Expect(cli.fails(ctx, "status", "account/nobody")).To(ContainSubstring("kubectl get accounts"))
		Expect(cli.does(ctx, "__complete", "status", "")).To(Equal("orders\n:4\n"))
	})

	It("says what keeps a credential from working, and what to do about it", func(ctx context.Context) {
		lost := builder.ClientCredential(namespace, "lost", builder.ForAccount("nobody"))
		plane.Create(ctx, lost)
		plane.ExpectReason(ctx, lost, v1alpha1.ReasonAccountNotFound)
		Expect(cli.does(ctx, "status", "lost")).To(MatchRegexp(`(?m)^What to do: +Create the Account, `))
		Expect(cli.fails(ctx, "token", "lost")).To(ContainSubstring("has no Secret yet: Create the Account, "))
	})

	It("rotates, and says until when the secret before works", func(ctx context.Context) {
		By("not doing it")
		Expect(cli.does(ctx, "rotate", "orders", "--dry-run=client")).To(Equal("clientcredential.claviger.dev/orders rotation requested (dry run)\n"))
		Expect(cli.does(ctx, "rotate", "--all", "--dry-run=server")).To(Equal("clientcredential.claviger.dev/orders rotation requested (server dry run)\n"))
		Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), orders)).To(Succeed())
		Expect(orders.Annotations).NotTo(HaveKey(v1alpha1.AnnotationRotate))

		By("doing it")
		Expect(cli.does(ctx, "rotate", "orders")).To(MatchRegexp(
			`^clientcredential\.claviger\.dev/orders rotated; the secret before works until \S+Z \(in (24|23)h\)\n$`))
		after := plane.Credentials(ctx, orders)
		Expect(after.Secret == credentials.Secret).To(BeFalse(), "the secret is another")
		Eventually(tokens.Accepts).WithArguments(after).Should(BeTrue())
		Expect(tokens.Accepts(credentials)).To(BeTrue())
		Expect(cli.does(ctx, "status", "orders")).To(MatchRegexp(`(?m)^  Replaced: +works until `))

		By("doing it again, and not waiting")
		Expect(cli.does(ctx, "rotate", "--all", "--wait=false")).To(Equal("clientcredential.claviger.dev/orders rotation requested\n"))
		Eventually(func() bool { return plane.Credentials(ctx, orders).Secret != after.Secret }).Should(BeTrue())
	})

	It("rotates no secret that its user brings", func(ctx context.Context) {
		plane.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "vault"},
			StringData: map[string]string{"client_id": namespace + ".brought", "client_secret": "brought-by-its-user-0123456789"},
		})
		brought := builder.ClientCredential(namespace, "brought", builder.ForAccount(namespace), builder.SecretFrom("vault"))
		plane.Create(ctx, brought)
		Eventually(plane.Reason).WithArguments(ctx, brought).Should(Equal(v1alpha1.ReasonIssued))
		Expect(cli.fails(ctx, "rotate", "brought")).To(ContainSubstring("edit Secret vault"))
		done := cli.claviger(ctx, "", "rotate", "--all", "--dry-run=client")
		Expect(done.out).To(Equal("clientcredential.claviger.dev/orders rotation requested (dry run)\n"))
		Expect(done.err).To(HavePrefix("passed over: credential brought "))
		Expect(cli.does(ctx, "status", "brought")).To(ContainSubstring("vault, which is yours"))
		token := take(ctx, "token", "brought")
		Expect(works(token)).To(BeTrue())
	})

	It("does not wait for a rotation that cannot come", func(ctx context.Context) {
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = true })
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonSuspended)
		Expect(cli.fails(ctx, "rotate", "orders")).To(And(ContainSubstring("Suspended"), ContainSubstring("the request stands. Set spec.suspend to false")))
	})

	It("takes tokens", func(ctx context.Context) {
		Expect(works(take(ctx, "token", "orders"))).To(BeTrue())
		Expect(works(take(ctx, "token", "orders", "--scope", "Webhook", "-o", "header"))).To(BeTrue())
		var answer harness.TokenAnswer
		Expect(json.Unmarshal([]byte(take(ctx, "token", "orders", "-o", "json")), &answer)).To(Succeed())
		plane.Ledger.Add(answer.AccessToken)
		Expect(answer.ClientID).To(Equal(credentials.ID))
		Expect(works(answer.AccessToken)).To(BeTrue())
		Expect(cli.fails(ctx, "token", "orders", "--scope", "MCP", "--token-url", tokens.URL+server.PathToken)).To(ContainSubstring("invalid_scope: "))

		By("renaming the Secret and its keys")
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{
				Name: "renamed", Keys: map[string]v1alpha1.SecretKey{"client_id": "ID", "client_secret": "SECRET"},
			}
		})
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonIssued)
		token := take(ctx, "token", "orders")
		Expect(works(token)).To(BeTrue())
		Expect(verify(ctx, token, "--scope", "Webhook").out).To(ContainSubstring("(Secret renamed)"))
	})

	It("restricts a console-level token to an account", func(ctx context.Context) {
		console := builder.ClientCredential(config.Namespace, fresh())
		plane.Create(ctx, console)
		DeferCleanup(plane.API.Delete, console)
		Eventually(tokens.Accepts).WithArguments(plane.ExpectReady(ctx, console)).Should(BeTrue())
		cli.namespace = config.Namespace
		token := take(ctx, "token", console.Name, "--account", namespace)
		Expect(cli.claviger(ctx, token, "whoami").out).To(ContainSubstring("console, restricted to account " + namespace + "\n"))
		Expect(verify(ctx, token, "--scope", "API", "--account", namespace).code).To(Equal(0))
		Expect(verify(ctx, token, "--scope", "API", "--account", "other").out).To(HavePrefix("403 Forbidden: insufficient_scope\n"))
	})

	It("says of a token what the token service does, and why", func(ctx context.Context) {
		token := take(ctx, "token", "orders")
		// agree expects the plugin's verdict to be that of the token service, within the second that this may take.
		agree := func(status int, failed string, place ...string) {
			GinkgoHelper()
			query := "scope=" + place[1]
			if len(place) > 2 {
				query += "&account=" + place[3]
			}
			harness.ExpectPromptly(func() int { return tokens.Verify(token, query).Status }, status)
			done := verify(ctx, token, place...)
			Expect(done.out).To(HavePrefix("%d ", status), "%+v", done)
			Expect(done.code).To(Equal(map[bool]int{true: 0, false: 1}[status == http.StatusOK]))
			Expect(done.out).To(ContainSubstring(failed))
		}
		webhook := []string{"--scope", "Webhook", "--account", namespace}
		agree(200, "yes  it is good for", webhook...)
		agree(403, "does not have the scope", "--scope", "MCP", "--account", namespace)
		agree(401, "another account's", "--scope", "Webhook", "--account", "other")
		agree(401, "of the other level", "--scope", "API")

		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = true })
		agree(401, "Suspended: spec.suspend is true", webhook...)
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = false })
		agree(200, "yes  it is good for", webhook...)

		Expect(revoke(ctx, token, "--reason", "a test").code).To(Equal(0))
		agree(401, "the token is revoked", webhook...)

		token = take(ctx, "token", "orders")
		agree(200, "yes  it is good for", webhook...)
		Expect(plane.API.Delete(ctx, orders)).To(Succeed())
		Expect(verify(ctx, token, webhook...).err).To(ContainSubstring("no credential has the client ID " + credentials.ID))
		agree(401, "no such client", append(webhook, "--issuer", harness.Issuer)...)
	})

	It("never asks an issuer that only the token names", func(ctx context.Context) {
		var asked atomic.Int64
		elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
		DeferCleanup(elsewhere.Close)
		part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
		forged := part(`{"alg":"ES256","typ":"at+jwt","kid":"x"}`) + "." +
			part(`{"iss":"`+elsewhere.URL+`","client_id":"`+credentials.ID+`","jti":"x","exp":4000000000}`) + "." + part("x")
		Expect(verify(ctx, forged, "--scope", "Webhook").out).To(HavePrefix("401 Unauthorized: invalid_token\n  NO   signed by " + harness.Issuer))
		done := revoke(ctx, forged)
		Expect(done.code).To(Equal(1))
		Expect(done.err).To(ContainSubstring("there is nothing to revoke: this is not a token of " + harness.Issuer))
		Expect(asked.Load()).To(BeZero())
	})

	It("revokes a token", func(ctx context.Context) {
		token, other := take(ctx, "token", "orders"), take(ctx, "token", "orders")
		Expect(revoke(ctx, token, "--dry-run=server").out).To(HaveSuffix("(server dry run)\n"))
		Expect(works(token)).To(BeTrue())
		Expect(revoke(ctx, token).out).To(MatchRegexp(`^revokedtoken\.claviger\.dev/[0-9a-f]{32} created; the token of ` + credentials.ID + ` is refused within a second in namespace claviger-system; a token service of another operator namespace does not see it\n$`))
		harness.ExpectPromptly(func() bool { return works(token) }, false)
		Expect(works(other)).To(BeTrue())
		Expect(revoke(ctx, token).out).To(HaveSuffix("was there already; the token is refused in namespace claviger-system; a token service of another operator namespace does not see it\n"))

		By("revoking another as its client")
		done := cli.claviger(ctx, other, "revoke", "-", "--client", "orders", "--issuer", tokens.URL)
		Expect(done.code).To(Equal(0), "%+v", done)
		harness.ExpectPromptly(func() bool { return works(other) }, false)

		By("revoking one that cannot be verified, because the keys are out of reach")
		third := take(ctx, "token", "orders")
		done = cli.claviger(ctx, third, "revoke", "-", "--jwks-url", "http://127.0.0.1:1/oauth/jwks")
		Expect(done.code).To(Equal(0), "%+v", done)
		Expect(done.err).To(ContainSubstring("could not be verified"))
		harness.ExpectPromptly(func() bool { return works(third) }, false)
	})

	It("revokes all tokens of a credential, but only where it is told to", func(ctx context.Context) {
		token := take(ctx, "token", "orders")
		Expect(cli.does(ctx, "revoke", "--all-tokens-of", "orders")).To(MatchRegexp(`^spec:\n  revokeTokensBefore: "\S+Z"\n$`))
		Expect(cli.does(ctx, "revoke", "--all-tokens-of", "orders", "--apply", "--dry-run=client")).To(HaveSuffix(" (dry run)\n"))
		Expect(works(token)).To(BeTrue())
		Expect(cli.does(ctx, "revoke", "--all-tokens-of", "orders", "--apply")).To(HavePrefix("clientcredential.claviger.dev/orders patched; "))
		harness.ExpectPromptly(func() bool { return works(token) }, false)
		Expect(verify(ctx, token, "--scope", "Webhook").out).To(ContainSubstring("the client's tokens of that time are revoked"))
		Eventually(func() bool { return works(take(ctx, "token", "orders")) }).Should(BeTrue(), "the secret goes on working")
	})

	It("prints no client secret, whatever is asked of it", func(ctx context.Context) {
		token := take(ctx, "token", "orders")
		template := "-o=go-template={{range $name, $value := .}}{{$name}}={{$value}} {{end}}"
		for _, args := range [][]string{
			{"status", "-o", "yaml"},
			{"status", "orders"},
			{"status", "orders", "-o", "json", "--show-managed-fields"},
			{"status", "orders", template},
			{"rotate", "orders", "-o", "yaml"},
			{"rotate", "orders", "-o", "json", "--dry-run=server"},
			{"token", "orders", "-o", "json", "--token-url", tokens.URL + server.PathToken},
			{"token", "orders", "--token-url", tokens.URL + server.PathJWKS},
			{"token", "orders", "--token-url", "http://127.0.0.1:1"},
			{"token", "orders", "--token-url", "https://nobody:secret@127.0.0.1:1"},
			{"token", "orders"},
			{"revoke", token, "--client", "orders", "--issuer", tokens.URL},
			{"revoke", token, "--client", "orders", "--issuer", "http://127.0.0.1:1"},
			{"revoke", token, "-o", "yaml", "--jwks-url", tokens.URL + server.PathJWKS},
			{"revoke", "--all-tokens-of", "orders", "--apply", "-o", "yaml"},
			{"verify", token, "--scope", "Webhook", "--jwks-url", tokens.URL + server.PathJWKS},
			{"whoami", token, "-o", "json"},
		} {
			done := cli.claviger(ctx, "", args...)
			Expect(done.out+done.err).NotTo(BeEmpty(), "%v", args)
			for _, secret := range []string{credentials.Secret, plane.Credentials(ctx, orders).Secret} {
				Expect(leak.Holds(done.out+done.err, secret)).To(BeFalse(), "%v", args[0])
			}
		}
	})

	It("tells those who may see little what they do not see", func(ctx context.Context) {
		viewer := "viewer-of-" + namespace
		subject := []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: viewer, APIGroup: rbacv1.GroupName}}
		may := func(resource string, verbs ...string) rbacv1.PolicyRule {
			return rbacv1.PolicyRule{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{resource}, Verbs: verbs}
		}
		plane.Create(ctx,
			&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "viewer"}, Rules: []rbacv1.PolicyRule{may("clientcredentials", "get", "list")}},
			&rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "viewer"}, Subjects: subject,
				RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "viewer"},
			},
			&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: viewer}, Rules: []rbacv1.PolicyRule{may("accounts", "get")}},
			&rbacv1.ClusterRoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: viewer}, Subjects: subject,
				RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: viewer},
			})
		token := take(ctx, "token", "orders")
		Eventually(func() string { return cli.claviger(ctx, "", "status", "orders", "--as", viewer).out }).
			Should(ContainSubstring("not shown: you may not read the Secret\n"))
		Expect(cli.fails(ctx, "status", "-A", "--as", viewer)).To(ContainSubstring("Ask whoever runs the cluster for this right"))
		Expect(cli.fails(ctx, "token", "orders", "--as", viewer)).To(ContainSubstring("Ask whoever runs the cluster for this right"))
		Expect(verify(ctx, token, "--scope", "Webhook", "--as", viewer).err).To(ContainSubstring("without it, give --issuer"))
		done := verify(ctx, token, "--scope", "Webhook", "--issuer", harness.Issuer, "--as", viewer)
		Expect(done.out).To(HavePrefix("200 OK: "), "%+v", done)
		for _, unseen := range []string{"credentials outside namespace " + namespace, "labels of namespace " + namespace, "revoked tokens, in namespace claviger-system"} {
			Expect(done.out).To(ContainSubstring("Not taken into account, because you may not see them: " + unseen + "\n"))
		}
		refused := revoke(ctx, token, "--issuer", harness.Issuer, "--as", viewer)
		Expect(refused.code).To(Equal(1))
		Expect(refused.err).To(ContainSubstring(`cannot create resource "revokedtokens"`))
	})
})
