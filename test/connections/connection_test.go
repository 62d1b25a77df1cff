// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/provider"
)

// lifetime is that of the access tokens of our own provider, and grace how long it forgives: longer than any request takes.
const (
	lifetime = 10 * time.Minute
	grace    = 5 * time.Minute
)

// home makes an account with a namespace of its own.
func home(ctx context.Context) string {
	GinkgoHelper()
	name := fresh()
	plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
	return name
}

// connect makes a connection in a home: a Connector, the app registration where that is the account's, and tokens to import.
func connect(ctx context.Context, home string, tokens provider.Tokens, spec v1alpha1.ConnectorSpec) *v1alpha1.AccountConnector {
	GinkgoHelper()
	name := fresh()
	spec.DisplayName = "An application"
	mine := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: name + "-mine"}, StringData: map[string]string{"AuthValue": authValue(tokens)},
	}
	from := func(key string) *v1alpha1.SecretValueSource {
		return &v1alpha1.SecretValueSource{SecretKeyRef: v1alpha1.SecretKeyReference{Name: mine.Name, Key: v1alpha1.SecretKey(key)}}
	}
	object := &v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: name}, Spec: v1alpha1.AccountConnectorSpec{
		AccountRef: v1alpha1.AccountReference{Name: home}, ConnectorRef: v1alpha1.ConnectorReference{Name: name}, AuthValueFrom: from("AuthValue"),
	}}
	if spec.Client != v1alpha1.ClientShared {
		mine.StringData["secret"] = provider.ClientSecret
		object.Spec.Properties = []v1alpha1.AccountProperty{{Name: "ClientId", Value: provider.ClientID}, {Name: "ClientSecret", ValueFrom: from("secret")}}
	}
	plane.Create(ctx, &v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}, mine, object)
	return object
}

func authValue(tokens provider.Tokens) string {
	GinkgoHelper()
	text, err := json.Marshal(map[string]string{
		"AccessToken": tokens.Access, "RefreshToken": tokens.Refresh, "Expires": tokens.Expires.UTC().Format(time.RFC3339),
	})
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

// kind is how a provider really behaves, and what a Connector says of it.
type kind struct {
	name     string
	really   provider.Rotation
	rotation v1alpha1.RefreshRotation
}

var kinds = []kind{
	{"does not rotate", provider.Keeps, v1alpha1.RotationNone},
	{"forgives for a while", provider.Forgives, v1alpha1.RotationGrace},
	{"ends the grant of a token that is used again", provider.Strict, v1alpha1.RotationStrict},
	{"takes each token once, and does not say so", provider.SingleUse, v1alpha1.RotationUnknown},
}

// linked is a connection to a provider of our own.
type linked struct {
	kind
	provider *provider.Provider
	object   *v1alpha1.AccountConnector
}

// link makes a connection to a provider of that kind, with tokens that live, to be imported.
func link(ctx context.Context, home string, of kind, clock *harness.Clock, change func(*provider.Options, *v1alpha1.ConnectorSpec)) *linked {
	GinkgoHelper()
	options := provider.Options{Now: clock.Now, Lifetime: lifetime, Rotation: of.really, Grace: grace}
	spec := v1alpha1.ConnectorSpec{
		Grant: v1alpha1.GrantAuthorizationCode, AuthStyle: v1alpha1.AuthStyleBasic,
		Refresh: v1alpha1.ConnectorRefresh{Rotation: of.rotation, AssumedLifetime: &metav1.Duration{Duration: lifetime}},
	}
	if of.rotation == v1alpha1.RotationGrace {
		spec.Refresh.ReuseGrace = &metav1.Duration{Duration: grace}
	}
	change(&options, &spec)
	made := &linked{kind: of, provider: provider.Start(options)}
	DeferCleanup(made.provider.Close)
	spec.AuthorizationURL = v1alpha1.ConnectorURL(made.provider.URL + provider.PathAuthorize)
	spec.TokenURL = v1alpha1.ConnectorURL(made.provider.URL + provider.PathToken)
	made.object = connect(ctx, home, made.provider.Give("crm.read"), spec)
	return made
}

// once has the tokens that come next live for so long that no other refresh is due before the test is over, however long that takes.
func (l *linked) once() { l.provider.Change(func(o *provider.Options) { o.Lifetime = 24 * time.Hour }) }

// look reads the object.
func (l *linked) look(ctx context.Context) *v1alpha1.AccountConnector {
	GinkgoHelper()
	return read(ctx, l.object)
}

func read(ctx context.Context, object *v1alpha1.AccountConnector) *v1alpha1.AccountConnector {
	GinkgoHelper()
	Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
	return object
}

// reason gives that of a condition, or "".
func reason(of *v1alpha1.AccountConnector, condition string) string {
	if found := meta.FindStatusCondition(of.Status.Conditions, condition); found != nil {
		return found.Reason
	}
	return ""
}

func ready(of *v1alpha1.AccountConnector) bool {
	return meta.IsStatusConditionTrue(of.Status.Conditions, v1alpha1.ConditionReady)
}

// record gives what is kept of the grant.
func recordOf(ctx context.Context, of *v1alpha1.AccountConnector) connector.Record {
	GinkgoHelper()
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: config.ConnectionsNamespace, Name: "connection-" + string(of.UID)}
	Expect(plane.API.Get(ctx, key, secret)).To(Succeed())
	record, err := connector.Decode(secret.Data[v1alpha1.SecretKeyRecord])
	Expect(err).NotTo(HaveOccurred())
	return record
}

// published gives the access token in the output Secret, or "".
func published(ctx context.Context, of *v1alpha1.AccountConnector) string {
	GinkgoHelper()
	secret := &corev1.Secret{}
	err := plane.API.Get(ctx, client.ObjectKeyFromObject(of), secret)
	Expect(client.IgnoreNotFound(err)).To(Succeed())
	return string(secret.Data["access_token"])
}

// nudge has the manager look at a connection now: it sleeps by the machine's clock, and not by the test's.
func nudge(ctx context.Context, object *v1alpha1.AccountConnector) {
	GinkgoHelper()
	harness.Patch(ctx, plane, object, func(c *v1alpha1.AccountConnector) {
		c.Spec.SecretTemplate = &v1alpha1.ConnectionSecretTemplate{Annotations: map[string]v1alpha1.AnnotationValue{"nudge": v1alpha1.AnnotationValue(fresh())}}
	})
}

// seen reports whether the manager has looked since the last nudge.
func seen(ctx context.Context, object *v1alpha1.AccountConnector) bool {
	GinkgoHelper()
	read(ctx, object)
	return object.Status.ObservedGeneration == object.Generation
}

// later moves the clock, and has the manager look at all connections.
func later(ctx context.Context, clock *harness.Clock, by time.Duration, all ...*linked) {
	GinkgoHelper()
	clock.Advance(by)
	for _, each := range all {
		nudge(ctx, each.object)
	}
	for _, each := range all {
		Eventually(seen).WithArguments(ctx, each.object).Should(BeTrue(), "the manager looks")
	}
}

// said is what a connection says of itself, for a test that fails.
func said(of *v1alpha1.AccountConnector) func() string {
	return func() string {
		var text strings.Builder
		for _, condition := range of.Status.Conditions {
			fmt.Fprintf(&text, "%s is %s, %s: %s\n", condition.Type, condition.Status, condition.Reason, condition.Message)
		}
		return text.String()
	}
}
