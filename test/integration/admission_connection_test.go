// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
)

// aConnector gives a valid Connector that was changed.
func aConnector(change func(*v1alpha1.ConnectorSpec)) *v1alpha1.Connector {
	made := &v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: "admission"}, Spec: v1alpha1.ConnectorSpec{
		DisplayName: "An application", Grant: v1alpha1.GrantAuthorizationCode, AuthStyle: v1alpha1.AuthStyleBasic,
		AuthorizationURL: "https://example.com/authorize", TokenURL: "https://example.com/token",
	}}
	change(&made.Spec)
	return made
}

func named(name string) *v1alpha1.Connector {
	made := aConnector(func(*v1alpha1.ConnectorSpec) {})
	made.Name = name
	return made
}

// sharing gives one with one client for all accounts, and one property.
func sharing(property v1alpha1.ConnectorProperty, change func(*v1alpha1.ConnectorSpec)) *v1alpha1.Connector {
	return aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.Client, s.ClientSecretRef = v1alpha1.ClientShared, &v1alpha1.ConnectionsSecretReference{Name: "registration"}
		s.Properties = []v1alpha1.ConnectorProperty{property}
		change(s)
	})
}

// discovering gives one whose endpoints are its issuer's to say.
func discovering(issuer v1alpha1.ConnectorURL, change func(*v1alpha1.ConnectorSpec)) *v1alpha1.Connector {
	return aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.Issuer, s.AuthorizationURL, s.TokenURL = issuer, "", ""
		change(s)
	})
}

func refreshing(change func(*v1alpha1.ConnectorRefresh)) *v1alpha1.Connector {
	return aConnector(func(s *v1alpha1.ConnectorSpec) { change(&s.Refresh) })
}

func lasting(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }

func from(secret string) *v1alpha1.SecretValueSource {
	return &v1alpha1.SecretValueSource{SecretKeyRef: v1alpha1.SecretKeyReference{Name: secret, Key: "key"}}
}

// aConnection gives a valid AccountConnector that was changed.
func aConnection(change func(*v1alpha1.AccountConnectorSpec)) *v1alpha1.AccountConnector {
	made := &v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "admission", Name: "crm"}, Spec: v1alpha1.AccountConnectorSpec{
		AccountRef: v1alpha1.AccountReference{Name: "acme"}, ConnectorRef: v1alpha1.ConnectorReference{Name: "example"},
	}}
	change(&made.Spec)
	return made
}

func withProperties(properties ...v1alpha1.AccountProperty) *v1alpha1.AccountConnector {
	return aConnection(func(s *v1alpha1.AccountConnectorSpec) { s.Properties = properties })
}

func shaped(change func(*v1alpha1.ConnectionSecretTemplate)) *v1alpha1.AccountConnector {
	return aConnection(func(s *v1alpha1.AccountConnectorSpec) {
		s.SecretTemplate = &v1alpha1.ConnectionSecretTemplate{}
		change(s.SecretTemplate)
	})
}

const (
	bounds   = "bound it by pattern or values"
	discover = "an issuer with a property in it cannot be discovered"
)

var (
	region  = v1alpha1.ConnectorProperty{Name: "Region"}
	bounded = v1alpha1.ConnectorProperty{Name: "Region", Values: []string{"eu", "us"}}
)

var _ = DescribeTable("admission refuses of connections, with a message that says what to do", func(ctx context.Context, object client.Object, message string) {
	plane.Namespace(ctx, "admission", nil)
	err := plane.API.Create(ctx, object, client.DryRunAll)
	Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
	Expect(err.Error()).To(ContainSubstring(message))
},
	Entry("a Connector without a token endpoint", aConnector(func(s *v1alpha1.ConnectorSpec) { s.TokenURL = "" }), "set tokenURL, or issuer to discover it"),
	Entry("one whose users have nowhere to sign in", aConnector(func(s *v1alpha1.ConnectorSpec) { s.AuthorizationURL = "" }),
		"grant AuthorizationCode needs authorizationURL, or issuer to discover it"),
	Entry("one by which nobody signs in, and where", aConnector(func(s *v1alpha1.ConnectorSpec) { s.Grant = v1alpha1.GrantClientCredentials }),
		"grant ClientCredentials has no authorizationURL"),
	Entry("one whose issuer has a property in it, without a token endpoint",
		discovering("https://{Region}.example.com", func(s *v1alpha1.ConnectorSpec) { s.AuthorizationURL = "https://example.com/authorize" }), discover),
	Entry("one whose issuer has a property in it, without where to sign in",
		discovering("https://{Region}.example.com", func(s *v1alpha1.ConnectorSpec) { s.TokenURL = "https://example.com/token" }), discover),
	Entry("a client of its own where every account brings one", aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.ClientSecretRef = &v1alpha1.ConnectionsSecretReference{Name: "registration"}
	}), "client Account: every account brings its own client, so there is no clientSecretRef"),
	Entry("a client for all that nobody has", aConnector(func(s *v1alpha1.ConnectorSpec) { s.Client = v1alpha1.ClientShared }), "client Shared or Either needs clientSecretRef"),
	Entry("a client for some that nobody has", aConnector(func(s *v1alpha1.ConnectorSpec) { s.Client = v1alpha1.ClientEither }), "client Shared or Either needs clientSecretRef"),
	Entry("a token endpoint of the account's choice that is shown the secret of all", sharing(region, func(s *v1alpha1.ConnectorSpec) {
		s.TokenURL = "https://{Region}.example.com/token"
	}), bounds),
	Entry("the same in its path", sharing(region, func(s *v1alpha1.ConnectorSpec) { s.TokenURL = "https://example.com/{Region}/token" }), bounds),
	Entry("the same where some bring their own", sharing(region, func(s *v1alpha1.ConnectorSpec) {
		s.Client, s.TokenURL = v1alpha1.ClientEither, "https://{Region}.example.com/token"
	}), bounds),
	Entry("a revocation endpoint of the account's choice", sharing(region, func(s *v1alpha1.ConnectorSpec) { s.RevocationURL = "https://{Region}.example.com/revoke" }), bounds),
	Entry("an authorization endpoint of the account's choice", sharing(region, func(s *v1alpha1.ConnectorSpec) {
		s.AuthorizationURL = "https://{Region}.example.com/authorize"
	}), bounds),
	Entry("an issuer of the account's choice, which assertions are for", sharing(region, func(s *v1alpha1.ConnectorSpec) { s.Issuer = "https://{Region}.example.com" }), bounds),
	Entry("answers with the iss of an issuer that nobody names", aConnector(func(s *v1alpha1.ConnectorSpec) { s.IssInAnswers = true }), "issInAnswers needs issuer, and grant AuthorizationCode"),
	Entry("answers with iss where nobody signs in", discovering("https://example.com", func(s *v1alpha1.ConnectorSpec) {
		s.Grant, s.IssInAnswers = v1alpha1.GrantClientCredentials, true
	}), "issInAnswers needs issuer, and grant AuthorizationCode"),
	Entry("a property that is bounded twice", aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.Properties = []v1alpha1.ConnectorProperty{{Name: "Region", Values: []string{"eu"}, Pattern: "eu"}}
	}), "set pattern or values, not both"),
	Entry("a property whose name no URL can have", aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.Properties = []v1alpha1.ConnectorProperty{{Name: "a-b"}}
	}), "spec.properties[0].name"),
	Entry("a parameter of the sign-in that is the protocol's", aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.AuthorizationParameters = map[string]v1alpha1.ParameterValue{"state": "x"}
	}), "are the protocol's own"),
	Entry("a parameter of token requests that is the protocol's", aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.TokenParameters = map[string]v1alpha1.ParameterValue{"refresh_token": "x"}
	}), "are the protocol's own"),
	Entry("a URL with a user in it", aConnector(func(s *v1alpha1.ConnectorSpec) { s.TokenURL = "https://user@example.com/token" }), "spec.tokenURL"),
	Entry("a URL with a fragment", aConnector(func(s *v1alpha1.ConnectorSpec) { s.TokenURL = "https://example.com/token#x" }), "spec.tokenURL"),
	Entry("a scope with a blank", aConnector(func(s *v1alpha1.ConnectorSpec) { s.Scopes = []v1alpha1.ProviderScope{"a b"} }), "spec.scopes[0]"),
	Entry("an answer that is too deep", aConnector(func(s *v1alpha1.ConnectorSpec) { s.TokenResponsePath = "a.b.c.d.e" }), "spec.tokenResponsePath"),
	Entry("an origin in clear that is not this machine", aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.AllowedOrigins = []v1alpha1.Origin{"http://example.com"}
	}), "must be https unless it is on loopback"),
	Entry("an origin with the port that no browser names", aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.AllowedOrigins = []v1alpha1.Origin{"https://example.com:443"}
	}), "leave out the port that is the scheme's own"),
	Entry("a grace below a second", refreshing(func(r *v1alpha1.ConnectorRefresh) { r.ReuseGrace = lasting(999 * time.Millisecond) }), "reuseGrace must be from 1s to 24h"),
	Entry("a grace above a day", refreshing(func(r *v1alpha1.ConnectorRefresh) { r.ReuseGrace = lasting(24*time.Hour + time.Second) }), "reuseGrace must be from 1s to 24h"),
	Entry("an assumed lifetime below half a minute", refreshing(func(r *v1alpha1.ConnectorRefresh) { r.AssumedLifetime = lasting(29 * time.Second) }), "assumedLifetime must be from 30s"),
	Entry("an assumed lifetime above a year", refreshing(func(r *v1alpha1.ConnectorRefresh) { r.AssumedLifetime = lasting(8761 * time.Hour) }), "assumedLifetime must be from 30s to 8760h"),
	Entry("a refresh less than a second before", refreshing(func(r *v1alpha1.ConnectorRefresh) { r.RefreshBeforeExpiry = lasting(0) }), "refreshBeforeExpiry must be from 1s to 720h"),
	Entry("a refresh more than a month before", refreshing(func(r *v1alpha1.ConnectorRefresh) { r.RefreshBeforeExpiry = lasting(721 * time.Hour) }), "refreshBeforeExpiry must be from 1s to 720h"),
	Entry("an end for want of use within the hour", refreshing(func(r *v1alpha1.ConnectorRefresh) { r.IdleExpiry = lasting(59 * time.Minute) }), "idleExpiry must be from 1h to 87600h"),
	Entry("an end for want of use after ten years", refreshing(func(r *v1alpha1.ConnectorRefresh) { r.IdleExpiry = lasting(87601 * time.Hour) }), "idleExpiry must be from 1h to 87600h"),
	Entry("an end within the hour", refreshing(func(r *v1alpha1.ConnectorRefresh) { r.AbsoluteExpiry = lasting(59 * time.Minute) }), "absoluteExpiry must be from 1h to 87600h"),
	Entry("an end after ten years", refreshing(func(r *v1alpha1.ConnectorRefresh) { r.AbsoluteExpiry = lasting(87601 * time.Hour) }), "absoluteExpiry must be from 1h to 87600h"),
	Entry("a Connector with a dot in its name", named("a.b"), "the name must have at most 63 letters, digits and hyphens"),
	Entry("a Connector whose name is too long", named(strings.Repeat("x", 64)), "the name must have at most 63 letters, digits and hyphens"),

	Entry("a connection to a Connector whose name there cannot be", aConnection(func(s *v1alpha1.AccountConnectorSpec) { s.ConnectorRef.Name = "a.b" }), "spec.connectorRef.name"),
	Entry("a property without a value", withProperties(v1alpha1.AccountProperty{Name: "Region"}), "set value or valueFrom, one of them"),
	Entry("a property with two", withProperties(v1alpha1.AccountProperty{Name: "Region", Value: "eu", ValueFrom: from("mine")}), "set value or valueFrom, one of them"),
	Entry("a secret in clear", withProperties(v1alpha1.AccountProperty{Name: "ClientSecret", Value: "x"}), "ClientSecret must be in a Secret: use valueFrom"),
	Entry("a property twice", withProperties(v1alpha1.AccountProperty{Name: "Region", Value: "eu"}, v1alpha1.AccountProperty{Name: "Region", Value: "us"}), "Duplicate value"),
	Entry("an output Secret that is the one of the tokens to import", aConnection(func(s *v1alpha1.AccountConnectorSpec) {
		s.AuthValueFrom, s.SecretTemplate = from("mine"), &v1alpha1.ConnectionSecretTemplate{Name: "mine"}
	}), "secretTemplate.name must not be the Secret of authValueFrom"),
	Entry("a label of ours", shaped(func(t *v1alpha1.ConnectionSecretTemplate) {
		t.Labels = map[string]v1alpha1.LabelValue{v1alpha1.LabelSecret: "x"}
	}), "labels under claviger.dev/ are Claviger's own"),
	Entry("an annotation of ours", shaped(func(t *v1alpha1.ConnectionSecretTemplate) {
		t.Annotations = map[string]v1alpha1.AnnotationValue{v1alpha1.AnnotationOwner: "x"}
	}), "annotations under claviger.dev/ are Claviger's own"),
	Entry("a key that is renamed and does not exist", shaped(func(t *v1alpha1.ConnectionSecretTemplate) {
		t.Keys = map[string]v1alpha1.SecretKey{"refresh_token": "x"}
	}), "others do not exist"),
	Entry("a templated key that no Secret can have", shaped(func(t *v1alpha1.ConnectionSecretTemplate) {
		t.Data = map[string]v1alpha1.ValueTemplate{"a/b": "x"}
	}), "a key of a Secret has 1 to 253"),
)

var _ = DescribeTable("admission takes of connections what is just within the rules", func(ctx context.Context, object client.Object) {
	plane.Namespace(ctx, "admission", nil)
	Expect(plane.API.Create(ctx, object, client.DryRunAll)).To(Succeed())
},
	Entry("a Connector with both endpoints", aConnector(func(*v1alpha1.ConnectorSpec) {})),
	Entry("one that has them discovered", discovering("https://example.com", func(*v1alpha1.ConnectorSpec) {})),
	Entry("one whose answers have iss", discovering("https://example.com", func(s *v1alpha1.ConnectorSpec) { s.IssInAnswers = true })),
	Entry("one by which nobody signs in", aConnector(func(s *v1alpha1.ConnectorSpec) { s.Grant, s.AuthorizationURL = v1alpha1.GrantClientCredentials, "" })),
	Entry("one whose issuer has a property in it, and both endpoints", aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.Issuer, s.Properties = "https://{Region}.example.com", []v1alpha1.ConnectorProperty{region}
	})),
	Entry("the same by which nobody signs in, and the token endpoint", discovering("https://{Region}.example.com", func(s *v1alpha1.ConnectorSpec) {
		s.Grant, s.TokenURL, s.Properties = v1alpha1.GrantClientCredentials, "https://example.com/token", []v1alpha1.ConnectorProperty{region}
	})),
	Entry("a client for all", sharing(region, func(*v1alpha1.ConnectorSpec) {})),
	Entry("a client for some", sharing(region, func(s *v1alpha1.ConnectorSpec) { s.Client = v1alpha1.ClientEither })),
	Entry("endpoints of the account's choice for its own secret", aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.Properties = []v1alpha1.ConnectorProperty{region}
		s.TokenURL, s.RevocationURL = "https://{Region}.example.com/token", "https://{Region}.example.com/revoke"
	})),
	Entry("endpoints for the secret of all, of those that there are", sharing(bounded, func(s *v1alpha1.ConnectorSpec) {
		s.TokenURL, s.RevocationURL = "https://{Region}.example.com/token", "https://{Region}.example.com/revoke"
	})),
	Entry("endpoints for the secret of all, by a pattern", sharing(v1alpha1.ConnectorProperty{Name: "Region", Pattern: "[a-z]{2}"}, func(s *v1alpha1.ConnectorSpec) {
		s.TokenURL = "https://{Region}.example.com/token"
	})),
	Entry("parameters that the protocol does not have", aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.AuthorizationParameters = map[string]v1alpha1.ParameterValue{"prompt": "consent", "resource": "https://example.com"}
		s.TokenParameters = map[string]v1alpha1.ParameterValue{"audience": "x", "resource": "https://example.com"}
	})),
	Entry("an answer that is as deep as it may be", aConnector(func(s *v1alpha1.ConnectorSpec) { s.TokenResponsePath = "a.b.c.d" })),
	Entry("origins on this machine, and with a port that browsers name", aConnector(func(s *v1alpha1.ConnectorSpec) {
		s.AllowedOrigins = []v1alpha1.Origin{"http://localhost:8080", "http://127.0.0.1:8080", "https://example.com:8443"}
	})),
	Entry("the shortest of each time", refreshing(func(r *v1alpha1.ConnectorRefresh) {
		*r = v1alpha1.ConnectorRefresh{
			ReuseGrace: lasting(time.Second), AssumedLifetime: lasting(30 * time.Second), RefreshBeforeExpiry: lasting(time.Second),
			IdleExpiry: lasting(time.Hour), AbsoluteExpiry: lasting(time.Hour),
		}
	})),
	Entry("the longest of each time", refreshing(func(r *v1alpha1.ConnectorRefresh) {
		*r = v1alpha1.ConnectorRefresh{
			ReuseGrace: lasting(24 * time.Hour), AssumedLifetime: lasting(8760 * time.Hour), RefreshBeforeExpiry: lasting(720 * time.Hour),
			IdleExpiry: lasting(87600 * time.Hour), AbsoluteExpiry: lasting(87600 * time.Hour),
		}
	})),
	Entry("the longest name of a Connector", named(strings.Repeat("x", 63))),

	Entry("a connection with nothing of its own", aConnection(func(*v1alpha1.AccountConnectorSpec) {})),
	Entry("properties in clear and from Secrets", withProperties(
		v1alpha1.AccountProperty{Name: "ClientId", Value: "x"}, v1alpha1.AccountProperty{Name: "ClientSecret", ValueFrom: from("mine")},
		v1alpha1.AccountProperty{Name: "Region", ValueFrom: from("mine")})),
	Entry("an output Secret beside the one of the tokens to import", aConnection(func(s *v1alpha1.AccountConnectorSpec) {
		s.AuthValueFrom, s.SecretTemplate = from("mine"), &v1alpha1.ConnectionSecretTemplate{Name: "output"}
	})),
	Entry("labels, annotations, keys and templates", shaped(func(t *v1alpha1.ConnectionSecretTemplate) {
		t.Labels, t.Annotations = map[string]v1alpha1.LabelValue{"team": "x"}, map[string]v1alpha1.AnnotationValue{"team": "x"}
		t.Keys = map[string]v1alpha1.SecretKey{"access_token": "TOKEN", "provider": "x"}
		t.Data = map[string]v1alpha1.ValueTemplate{".env-1_a": "TOKEN={{ .AccessToken }}"}
	})),
)

var _ = It("a connection stays that of one account to one application, and all else of its spec can be changed", func(ctx context.Context) {
	plane.Namespace(ctx, "admission", nil)
	made := aConnection(func(*v1alpha1.AccountConnectorSpec) {})
	made.Name = fresh()
	plane.Create(ctx, made)
	try := func(change func(*v1alpha1.AccountConnectorSpec)) error {
		changed := made.DeepCopy()
		change(&changed.Spec)
		return plane.API.Patch(ctx, changed, client.MergeFrom(made), client.DryRunAll)
	}
	Expect(try(func(s *v1alpha1.AccountConnectorSpec) { s.AccountRef.Name = "other" })).
		To(MatchError(ContainSubstring("accountRef cannot be changed; create another AccountConnector")))
	Expect(try(func(s *v1alpha1.AccountConnectorSpec) { s.ConnectorRef.Name = "other" })).
		To(MatchError(ContainSubstring("connectorRef cannot be changed; create another AccountConnector")))
	Expect(try(func(s *v1alpha1.AccountConnectorSpec) {
		s.Properties = []v1alpha1.AccountProperty{{Name: "ClientId", Value: "x"}}
		s.Scopes, s.Suspend, s.DeletionPolicy = []v1alpha1.ProviderScope{"a"}, true, v1alpha1.DeletionRetain
	})).To(Succeed())
})

var _ = It("a Connector and a connection that no manager has seen say so", func(ctx context.Context) {
	entry, object := aConnector(func(*v1alpha1.ConnectorSpec) {}), aConnection(func(*v1alpha1.AccountConnectorSpec) {})
	plane.Namespace(ctx, "admission", nil)
	Expect(plane.API.Create(ctx, entry, client.DryRunAll)).To(Succeed())
	Expect(plane.API.Create(ctx, object, client.DryRunAll)).To(Succeed())
	Expect(entry.Status.ObservedGeneration).To(Equal(int64(-1)))
	Expect(object.Status.ObservedGeneration).To(Equal(int64(-1)))
})
