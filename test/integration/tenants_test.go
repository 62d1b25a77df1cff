// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// stranger is in each value of another tenant's Secret, and in nothing else.
const stranger = "of-another-tenant-alone"

// keptOf gives the Secret with what is kept of a connection.
func keptOf(ctx context.Context, of *v1alpha1.AccountConnector) *corev1.Secret {
	GinkgoHelper()
	secret := &corev1.Secret{}
	Expect(plane.API.Get(ctx, client.ObjectKey{Namespace: config.ConnectionsNamespace, Name: "connection-" + string(of.UID)}, secret)).To(Succeed())
	return secret
}

func recordOf(ctx context.Context, of *v1alpha1.AccountConnector) connector.Record {
	GinkgoHelper()
	record, err := connector.Decode(keptOf(ctx, of).Data[v1alpha1.SecretKeyRecord])
	Expect(err).NotTo(HaveOccurred())
	return record
}

// authorizedReason is that of an AccountConnector, for its current generation.
func authorizedReason(ctx context.Context, of *v1alpha1.AccountConnector) string {
	if readyReason(ctx, of) == "" {
		return ""
	}
	return reasonOf(of, v1alpha1.ConditionAuthorized)
}

// theirs makes a Secret that a connection of the same namespace may refer to.
func theirs(ctx context.Context, namespace, place, secret, authValue string) *corev1.Secret {
	GinkgoHelper()
	made := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "theirs"},
		StringData: map[string]string{"place": place, "secret": secret, "AuthValue": authValue},
	}
	plane.Create(ctx, made)
	return made
}

func fromTheirs(key v1alpha1.SecretKey) *v1alpha1.SecretValueSource {
	return &v1alpha1.SecretValueSource{SecretKeyRef: v1alpha1.SecretKeyReference{Name: "theirs", Key: key}}
}

// holdsStranger reports whether data has anything of another tenant's.
func holdsStranger(data map[string][]byte) bool {
	for _, value := range data {
		if strings.Contains(string(value), stranger) {
			return true
		}
	}
	return false
}

// The API has no field for a namespace, so a name is one of the connection's own.
var _ = DescribeTable("a connection takes nothing from another tenant's Secret, whatever that is called",
	func(ctx context.Context, refer func(*v1alpha1.AccountConnectorSpec)) {
		clock := &harness.Clock{}
		plane.StartManagerWith(func(o *app.ManagerOptions) { forConnections(o); o.Clock = clock.Now })
		to := startApplication()
		crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
		harness.Patch(ctx, plane, &v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: crm.Spec.ConnectorRef.Name}}, func(c *v1alpha1.Connector) {
			c.Spec.TokenURL, c.Spec.Properties = v1alpha1.ConnectorURL(to.URL+"/{Place}"), []v1alpha1.ConnectorProperty{{Name: "Place"}}
		})
		harness.Patch(ctx, plane, crm, func(c *v1alpha1.AccountConnector) {
			c.Spec.Properties = append(c.Spec.Properties, v1alpha1.AccountProperty{Name: "Place", Value: "token"})
		})
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
		others := theirs(ctx, crm.Namespace+"-other", "place-"+stranger, "secret-"+stranger, fmt.Sprintf(`{"RefreshToken":%q}`, "refresh-token-"+stranger))

		harness.Patch(ctx, plane, crm, func(c *v1alpha1.AccountConnector) { refer(&c.Spec) })
		Eventually(authorizedReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonSecretNotFound))
		clock.Advance(50 * time.Minute)
		harness.Patch(ctx, plane, others, func(s *corev1.Secret) { s.Data["touched"] = []byte(fresh()) })
		nudge(ctx, crm)
		Eventually(authorizedReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonSecretNotFound), "what is of another namespace is not there")

		By("there is one of that name in its own namespace")
		theirs(ctx, crm.Namespace, "token", "secret-of-our-app-registration", "{}")
		Eventually(authorizedReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonAuthorized))
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
		Eventually(to.asked).Should(BeNumerically(">=", 2), "what was due was refreshed")
		to.mutex.Lock()
		defer to.mutex.Unlock()
		Expect(strings.Contains(to.heard.String(), stranger)).To(BeFalse(), "the provider has heard nothing of the other tenant's")
		Expect(holdsStranger(keptOf(ctx, crm).Data)).To(BeFalse(), "and nothing of it is kept")
		Expect(holdsStranger(outputOf(ctx, crm))).To(BeFalse(), "or published")
	},
	Entry("a property in a URL", func(s *v1alpha1.AccountConnectorSpec) {
		s.Properties[2] = v1alpha1.AccountProperty{Name: "Place", ValueFrom: fromTheirs("place")}
	}),
	Entry("the secret of its client", func(s *v1alpha1.AccountConnectorSpec) {
		s.Properties[1] = v1alpha1.AccountProperty{Name: "ClientSecret", ValueFrom: fromTheirs("secret")}
	}),
	Entry("tokens to import", func(s *v1alpha1.AccountConnectorSpec) { s.AuthValueFrom = fromTheirs("AuthValue") }),
)

// usersOwn is a Secret of the connection's namespace that nobody but its user knows of.
func usersOwn(ctx context.Context, crm *v1alpha1.AccountConnector) *corev1.Secret {
	GinkgoHelper()
	made := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: crm.Namespace, Name: "taken"}, StringData: map[string]string{"access_token": "token-of-somebody-else"},
	}
	plane.Create(ctx, made)
	return made
}

// otherConnections is the output Secret of another connection of the same namespace.
func otherConnections(ctx context.Context, crm *v1alpha1.AccountConnector) *corev1.Secret {
	GinkgoHelper()
	mine := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: crm.Namespace, Name: "mine"}}
	harness.Patch(ctx, plane, mine, func(s *corev1.Secret) { s.Data["Other"] = []byte(`{"AccessToken":"token-of-another-connection"}`) })
	other := &v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{Namespace: crm.Namespace, Name: "other"}, Spec: *crm.Spec.DeepCopy()}
	other.Spec.AuthValueFrom.SecretKeyRef.Key = "Other"
	plane.Create(ctx, other)
	Eventually(readyReason).WithArguments(ctx, other).Should(Equal(v1alpha1.ReasonConnected))
	made := &corev1.Secret{}
	Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(other), made)).To(Succeed())
	return made
}

type secretOf func(ctx context.Context, crm *v1alpha1.AccountConnector) *corev1.Secret

var _ = DescribeTable("a connection leaves a Secret alone that is somebody else's, and keeps its grant alive", func(ctx context.Context, theirs secretOf) {
	clock := &harness.Clock{}
	plane.StartManagerWith(func(o *app.ManagerOptions) { forConnections(o); o.Clock = clock.Now })
	to := startApplication()
	crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
	foreign := theirs(ctx, crm)
	harness.Patch(ctx, plane, crm, func(c *v1alpha1.AccountConnector) {
		c.Spec.SecretTemplate = &v1alpha1.ConnectionSecretTemplate{Name: foreign.Name}
	})
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonSecretConflict))
	Expect(reasonOf(crm, v1alpha1.ConditionSecretPublished)).To(Equal(v1alpha1.ReasonSecretConflict))
	Expect(reasonOf(crm, v1alpha1.ConditionAuthorized)).To(Equal(v1alpha1.ReasonAuthorized))

	By("its token is due")
	before := recordOf(ctx, crm)
	clock.Advance(50 * time.Minute)
	harness.Patch(ctx, plane, crm, func(c *v1alpha1.AccountConnector) {
		c.Spec.SecretTemplate.Annotations = map[string]v1alpha1.AnnotationValue{"nudge": "now"}
	})
	Eventually(func() int64 { return recordOf(ctx, crm).Generation }).Should(Equal(before.Generation+1), "it is refreshed all the same")
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonSecretConflict))

	By("the name is its own again")
	harness.Patch(ctx, plane, crm, func(c *v1alpha1.AccountConnector) { c.Spec.SecretTemplate = nil })
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
	Expect(string(outputOf(ctx, crm)["access_token"]) == recordOf(ctx, crm).AccessToken.Reveal()).To(BeTrue(), "what was refreshed meanwhile is published")
	now := &corev1.Secret{}
	Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(foreign), now)).To(Succeed())
	Expect(now.ResourceVersion).To(Equal(foreign.ResourceVersion), "nobody has written to it")
},
	Entry("a user's", secretOf(usersOwn)),
	Entry("another connection's", secretOf(otherConnections)),
)

var _ = It("a ClientCredential and a connection of one name leave each other's Secrets alone, also what outlives its owner", func(ctx context.Context) {
	plane.StartManagerWith(forConnections)
	to := startApplication()
	crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
	harness.Patch(ctx, plane, crm, func(c *v1alpha1.AccountConnector) { c.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
	token := recordOf(ctx, crm).AccessToken.Reveal()
	Eventually(func() bool { return outputOf(ctx, crm).has("access_token", token) }).Should(BeTrue())
	expectUntouched := func() {
		GinkgoHelper()
		Expect(outputOf(ctx, crm).has("access_token", token) && !slices.Contains(slices.Collect(maps.Keys(outputOf(ctx, crm))), "client_secret")).To(BeTrue())
	}

	By("a ClientCredential comes")
	credential := builder.ClientCredential(crm.Namespace, crm.Name, builder.ForAccount(crm.Spec.AccountRef.Name), builder.Retained())
	plane.Create(ctx, credential)
	plane.ExpectReason(ctx, credential, v1alpha1.ReasonSecretConflict)
	expectUntouched()

	By("the ClientCredential goes, and the connection too")
	Expect(plane.API.Delete(ctx, credential)).To(Succeed())
	Eventually(gone).WithArguments(ctx, credential).Should(BeTrue())
	output := client.ObjectKey{Namespace: crm.Namespace, Name: crm.Status.Binding.Name}
	Expect(plane.API.Delete(ctx, crm)).To(Succeed())
	Eventually(gone).WithArguments(ctx, crm).Should(BeTrue())

	By("the ClientCredential comes again, and does not inherit what the connection left")
	credential = builder.ClientCredential(crm.Namespace, crm.Name, builder.ForAccount(crm.Spec.AccountRef.Name), builder.Retained())
	plane.Create(ctx, credential)
	plane.ExpectReason(ctx, credential, v1alpha1.ReasonSecretConflict)
	left := &corev1.Secret{}
	Expect(plane.API.Get(ctx, output, left)).To(Succeed())
	Expect(content(left.Data).has("access_token", token)).To(BeTrue())

	By("that is deleted, so the name is the ClientCredential's, and a connection that comes again has none of it")
	Expect(plane.API.Delete(ctx, left)).To(Succeed())
	harness.Patch(ctx, plane, credential, func(c *v1alpha1.ClientCredential) { c.Spec.Description = "looked at again" })
	plane.ExpectReady(ctx, credential)
	Expect(plane.API.Delete(ctx, credential)).To(Succeed())
	Eventually(gone).WithArguments(ctx, credential).Should(BeTrue())
	again := &v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{Namespace: crm.Namespace, Name: crm.Name}, Spec: *crm.Spec.DeepCopy()}
	again.Spec.AuthValueFrom = nil
	plane.Create(ctx, again)
	harness.Patch(ctx, plane, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: crm.Namespace, Name: "mine"}}, func(s *corev1.Secret) {
		s.Data["AuthValue"] = []byte(`{"AccessToken":"access-token-that-was-imported"}`)
	})
	harness.Patch(ctx, plane, again, func(c *v1alpha1.AccountConnector) { c.Spec.AuthValueFrom = fromMine("AuthValue") })
	Eventually(readyReason).WithArguments(ctx, again).Should(Equal(v1alpha1.ReasonSecretConflict))
	Expect(plane.API.Get(ctx, output, left)).To(Succeed())
	Expect(len(left.Data["client_secret"]) > 0 && len(left.Data["access_token"]) == 0).To(BeTrue(), "what the ClientCredential left is as it was")
})

func fromMine(key v1alpha1.SecretKey) *v1alpha1.SecretValueSource {
	return &v1alpha1.SecretValueSource{SecretKeyRef: v1alpha1.SecretKeyReference{Name: "mine", Key: key}}
}

var _ = It("a connection that is made anew under its name begins with nothing", func(ctx context.Context) {
	plane.StartManagerWith(forConnections)
	to := startApplication()
	given := fmt.Sprintf(`{"AccessToken":"access-token-that-was-imported","RefreshToken":"refresh-token-that-was-imported","Expires":%q}`,
		time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	crm := connected(ctx, to, given)
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
	anew := func(change func(*v1alpha1.AccountConnectorSpec)) *v1alpha1.AccountConnector {
		before := keptOf(ctx, crm)
		again := &v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{Namespace: crm.Namespace, Name: crm.Name}, Spec: *crm.Spec.DeepCopy()}
		change(&again.Spec)
		Expect(plane.API.Delete(ctx, crm)).To(Succeed())
		Eventually(gone).WithArguments(ctx, crm).Should(BeTrue())
		Expect(gone(ctx, before)).To(BeTrue(), "its record is gone before it is")
		plane.Create(ctx, again)
		Expect(again.UID).NotTo(Equal(crm.UID))
		return again
	}

	By("with the same tokens to import, which are imported again")
	crm = anew(func(*v1alpha1.AccountConnectorSpec) {})
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
	Expect(recordOf(ctx, crm).Generation).To(BeEquivalentTo(1))

	By("with none")
	crm = anew(func(s *v1alpha1.AccountConnectorSpec) { s.AuthValueFrom = nil })
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonSignInRequired))
	record := recordOf(ctx, crm)
	Expect(record.Generation).To(BeZero())
	Expect(record.Connected() || record.RefreshToken.Reveal() != "" || record.Imported != "" || record.Reauthorize != nil).To(BeFalse(), "the record has nothing of the one before")
	Expect(crm.Status.AuthorizedAt).To(BeNil())
	Expect(crm.Status.Binding).To(BeNil())
	Expect(to.asked()).To(BeZero())
})
