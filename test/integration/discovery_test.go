// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/harness"
)

// published has an application publish its endpoints as an authorization server, or nothing where the document is empty. HOST in the
// document is its own URL.
func (a *application) published(document string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.metadata = strings.ReplaceAll(document, "HOST", a.URL)
}

func (a *application) publish(w http.ResponseWriter, _ *http.Request) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.metadata == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, a.metadata)
}

var _ = It("a Connector learns its endpoints from its issuer, and connections follow them", func(ctx context.Context) {
	const document = `{"issuer":"HOST","authorization_endpoint":"HOST/authorize","token_endpoint":"HOST/token%s",
		"authorization_response_iss_parameter_supported":true}`
	clock := &harness.Clock{}
	plane.StartManagerWith(func(o *app.ManagerOptions) {
		forConnections(o)
		o.Clock, o.ConnectURL = clock.Now, "https://connect.example.com/x"
	})
	to := startApplication()
	crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
	entry := &v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: crm.Spec.ConnectorRef.Name}}
	ready := func() string {
		Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(entry), entry)).To(Succeed())
		if found := meta.FindStatusCondition(entry.Status.Conditions, v1alpha1.ConditionReady); found != nil && found.ObservedGeneration == entry.Generation {
			return found.Reason
		}
		return ""
	}
	look := func() { // what comes with the clock, it looks for within the hour
		harness.Patch(ctx, plane, entry, func(c *v1alpha1.Connector) { c.Spec.DisplayName = "An application " + fresh() })
	}
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
	Eventually(ready).Should(Equal(v1alpha1.ReasonAvailable))
	Expect(entry.Status.RedirectURI).To(Equal("https://connect.example.com/x/connectorauth/callback/" + entry.Name))
	Expect(entry.Status.Discovered).To(BeNil(), "nobody is asked for what the spec says")

	By("an issuer that publishes nothing")
	harness.Patch(ctx, plane, entry, func(c *v1alpha1.Connector) {
		c.Spec.Issuer, c.Spec.AuthorizationURL, c.Spec.TokenURL = v1alpha1.ConnectorURL(to.URL), "", ""
	})
	Eventually(ready).Should(Equal(v1alpha1.ReasonDiscoveryFailed))
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonDiscoveryFailed))

	By("one that does")
	to.published(fmt.Sprintf(document, ""))
	clock.Advance(2 * time.Minute)
	look()
	Eventually(ready).Should(Equal(v1alpha1.ReasonAvailable))
	Expect(entry.Status.Discovered.TokenURL).To(BeEquivalentTo(to.URL + "/token"))
	Expect(entry.Status.Discovered.AuthorizationURL).To(BeEquivalentTo(to.URL + "/authorize"))
	Expect(entry.Status.Discovered.RevocationURL).To(BeEmpty())
	Expect(entry.Status.Discovered.IssInAnswers).To(BeTrue())
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected), "it is told")

	By("one that is away keeps what is known")
	at := entry.Status.Discovered.At
	to.published("")
	clock.Advance(25 * time.Hour)
	look()
	Eventually(ready).Should(Equal(v1alpha1.ReasonAvailable))
	to.published(fmt.Sprintf(document, ""))
	clock.Advance(2 * time.Minute)
	look()
	Eventually(ready).Should(Equal(v1alpha1.ReasonAvailable))
	Expect(entry.Status.Discovered.At).To(Equal(at), "nothing is written where nothing has changed")

	By("one that has moved")
	to.published(fmt.Sprintf(document, "/moved"))
	clock.Advance(25 * time.Hour)
	look()
	Eventually(func() string { _ = ready(); return string(entry.Status.Discovered.TokenURL) }).Should(Equal(to.URL + "/token/moved"))

	By("another issuer")
	harness.Patch(ctx, plane, entry, func(c *v1alpha1.Connector) { c.Spec.Issuer += "/another" })
	Eventually(ready).Should(Equal(v1alpha1.ReasonDiscoveryFailed))
	Expect(entry.Status.Discovered).To(BeNil(), "what one issuer publishes is nothing for another")
	Expect(plane.API.Get(ctx, client.ObjectKey{Namespace: crm.Namespace, Name: crm.Name}, &corev1.Secret{})).To(Succeed())
})
