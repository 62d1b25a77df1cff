// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
)

var _ = DescribeTable("admission refuses, with a message that says what to do", func(ctx context.Context, object client.Object, message string) {
	if object.GetNamespace() != "" {
		plane.Namespace(ctx, object.GetNamespace(), nil)
	}
	err := plane.API.Create(ctx, object, client.DryRunAll)
	Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
	Expect(err.Error()).To(ContainSubstring(message))
},
	Entry("an account-level scope without an account", builder.ClientCredential("admission", "a", builder.WithScopes("Webhook")),
		"without accountRef the credential is console-level: its only scope is API"),
	Entry("a console-level scope with an account", builder.ClientCredential("admission", "a", builder.ForAccount("x"), builder.WithScopes("API")),
		"scope API is for console-level credentials, which have no accountRef"),
	Entry("both levels at once", builder.ClientCredential("admission", "a", builder.ForAccount("x"), builder.WithScopes("Webhook", "API")),
		"scope API is for console-level credentials"),
	Entry("no scope", builder.ClientCredential("admission", "a", builder.WithScopes([]v1alpha1.Scope{}...)), "spec.scopes"),
	Entry("a scope twice", builder.ClientCredential("admission", "a", builder.ForAccount("x"), builder.WithScopes("MCP", "MCP")), "Duplicate value"),
	Entry("a scope with a blank", builder.ClientCredential("admission", "a", builder.ForAccount("x"), builder.WithScopes("a b")), "spec.scopes[0]"),
	Entry("a restriction as a scope", builder.ClientCredential("admission", "a", builder.ForAccount("x"), builder.WithScopes("account:x")),
		"scopes that begin with account: are asked for at the token endpoint, not granted here"),
	Entry("a lifetime below a minute", builder.ClientCredential("admission", "a", builder.TokenMinutes(-1)), "spec.tokenExpiryMinutes"),
	Entry("a lifetime above a year", builder.ClientCredential("admission", "a", builder.TokenMinutes(525601)), "spec.tokenExpiryMinutes"),
	Entry("an account name that no Account can have", builder.ClientCredential("admission", "a", builder.ForAccount("Not A Name")), "spec.accountRef.name"),
	Entry("a description of 1025 characters", described(strings.Repeat("x", 1025)), "spec.description"),
	Entry("an interval that is too short", rotating(59*time.Second, 0), "interval must be from 1m to 87600h"),
	Entry("an interval shorter than the overlap that it names", rotating(time.Hour, 2*time.Hour), "interval must not be shorter than overlap"),
	Entry("an interval shorter than the overlap that there is by default", rotating(23*time.Hour, unset), "interval must not be shorter than overlap"),
	Entry("an overlap of more than a year", rotating(unset, 8761*time.Hour), "overlap must be from 0s to 8760h"),
	Entry("a rotation that says nothing", rotating(unset, unset), "spec.rotation"),
	Entry("a trigger of 257 characters", with(func(s *v1alpha1.ClientCredentialSpec) {
		s.Rotation = &v1alpha1.Rotation{Trigger: strings.Repeat("x", 257)}
	}), "spec.rotation.trigger"),
	Entry("a trigger for a secret that the user brings", with(func(s *v1alpha1.ClientCredentialSpec) {
		s.SecretRef, s.Rotation = &v1alpha1.ClientSecretReference{Name: "x"}, &v1alpha1.Rotation{Trigger: "x"}
	}), "with secretRef you rotate by editing that Secret"),
	Entry("a Secret of the user's that would be overwritten", with(func(s *v1alpha1.ClientCredentialSpec) {
		s.SecretRef, s.SecretTemplate = &v1alpha1.ClientSecretReference{Name: "x"}, &v1alpha1.SecretTemplate{Name: "x"}
	}), "secretTemplate.name must not be the Secret of secretRef"),
	Entry("a client ID that is the secret", with(func(s *v1alpha1.ClientCredentialSpec) {
		s.SecretRef = &v1alpha1.ClientSecretReference{Name: "x", ClientIDKey: "y", ClientSecretKey: "y"}
	}), "clientIDKey and clientSecretKey must differ"),
	Entry("two Secrets of one name", with(func(s *v1alpha1.ClientCredentialSpec) {
		s.SecretTemplate, s.AccessToken = &v1alpha1.SecretTemplate{Name: "x"}, &v1alpha1.AccessTokenDelivery{SecretName: "x"}
	}), "accessToken.secretName and secretTemplate.name must differ"),
	Entry("a token with more scopes than its credential", with(func(s *v1alpha1.ClientCredentialSpec) {
		s.AccessToken = &v1alpha1.AccessTokenDelivery{Scopes: []v1alpha1.Scope{"MCP"}}
	}), "accessToken.scopes must be some of scopes"),
	Entry("a client ID that HTTP Basic cannot carry", with(func(s *v1alpha1.ClientCredentialSpec) { s.ClientID = "a:b" }), "spec.clientID"),
	Entry("a client ID that is too long", with(func(s *v1alpha1.ClientCredentialSpec) { s.ClientID = strings.Repeat("x", 254) }), "spec.clientID"),
	Entry("a key that is renamed and does not exist", templated(func(t *v1alpha1.SecretTemplate) {
		t.Keys = map[string]v1alpha1.SecretKey{"password": "x"}
	}), "others do not exist"),
	Entry("a key that no Secret can have", templated(func(t *v1alpha1.SecretTemplate) {
		t.Keys = map[string]v1alpha1.SecretKey{"client_id": "a b"}
	}), "spec.secretTemplate.keys"),
	Entry("a templated key that no Secret can have", templated(func(t *v1alpha1.SecretTemplate) {
		t.Data = map[string]v1alpha1.ValueTemplate{"a/b": "x"}
	}), "a key of a Secret has 1 to 253"),
	Entry("a template that is too long", templated(func(t *v1alpha1.SecretTemplate) {
		t.Data = map[string]v1alpha1.ValueTemplate{"x": v1alpha1.ValueTemplate(strings.Repeat("x", 8193))}
	}), "spec.secretTemplate.data"),
	Entry("a label of ours", templated(func(t *v1alpha1.SecretTemplate) {
		t.Labels = map[string]v1alpha1.LabelValue{v1alpha1.LabelSecret: "x"}
	}), "labels under claviger.dev/ are Claviger's own"),
	Entry("an annotation of ours", templated(func(t *v1alpha1.SecretTemplate) {
		t.Annotations = map[string]v1alpha1.AnnotationValue{v1alpha1.AnnotationOwner: "x"}
	}), "annotations under claviger.dev/ are Claviger's own"),
	Entry("a Secret that the cluster would trust", templated(func(t *v1alpha1.SecretTemplate) {
		t.Type = "kubernetes.io/service-account-token"
	}), "credentials of the cluster itself"),
	Entry("a template that says nothing", templated(func(*v1alpha1.SecretTemplate) {}), "spec.secretTemplate"),
	Entry("a policy that there is none of", with(func(s *v1alpha1.ClientCredentialSpec) { s.DeletionPolicy = "Orphan" }), "spec.deletionPolicy"),
	Entry("an Account whose default is above its maximum", accountOf(func(s *v1alpha1.AccountSpec) {
		s.DefaultTokenExpiryMinutes, s.MaxTokenExpiryMinutes = 61, 60
	}), "defaultTokenExpiryMinutes must not be more than maxTokenExpiryMinutes"),
	Entry("an Account that adds a built-in scope", builder.Account("admission", builder.Scopes("MCP")), "Webhook, MCP and API are built in"),
	Entry("an Account that adds a restriction", builder.Account("admission", builder.Scopes("account:x")), "cannot be added"),
	Entry("a namespace name that no Namespace can have", builder.Account("admission", builder.Namespaces("Not A Name")), "spec.namespaces.names[0]"),
)

func accountOf(change func(*v1alpha1.AccountSpec)) *v1alpha1.Account {
	account := builder.Account("admission")
	change(&account.Spec)
	return account
}

func described(text string) *v1alpha1.ClientCredential {
	credential := builder.ClientCredential("admission", "a")
	credential.Spec.Description = text
	return credential
}

// with gives a valid console-level credential that was changed.
func with(change func(*v1alpha1.ClientCredentialSpec)) *v1alpha1.ClientCredential {
	credential := builder.ClientCredential("admission", "a")
	change(&credential.Spec)
	return credential
}

// unset leaves a duration out.
const unset = time.Duration(-1)

func rotating(interval, overlap time.Duration) *v1alpha1.ClientCredential {
	return with(func(s *v1alpha1.ClientCredentialSpec) {
		s.Rotation = &v1alpha1.Rotation{}
		if interval != unset {
			s.Rotation.Interval = &metav1.Duration{Duration: interval}
		}
		if overlap != unset {
			s.Rotation.Overlap = &metav1.Duration{Duration: overlap}
		}
	})
}

func templated(change func(*v1alpha1.SecretTemplate)) *v1alpha1.ClientCredential {
	return with(func(s *v1alpha1.ClientCredentialSpec) {
		s.SecretTemplate = &v1alpha1.SecretTemplate{}
		change(s.SecretTemplate)
	})
}

var _ = DescribeTable("admission takes the bounds themselves", func(ctx context.Context, object client.Object) {
	plane.Namespace(ctx, "admission", nil)
	Expect(plane.API.Create(ctx, object, client.DryRunAll)).To(Succeed())
},
	Entry("the shortest interval, with no overlap", rotating(time.Minute, 0)),
	Entry("an interval as long as the overlap", rotating(24*time.Hour, unset)),
	Entry("ten years, and a year's overlap", rotating(87600*time.Hour, 8760*time.Hour)),
	Entry("the longest template", templated(func(t *v1alpha1.SecretTemplate) {
		t.Data = map[string]v1alpha1.ValueTemplate{"x": v1alpha1.ValueTemplate(strings.Repeat("x", 8192))}
	})),
	Entry("a client ID of 253 characters", with(func(s *v1alpha1.ClientCredentialSpec) { s.ClientID = strings.Repeat("x", 253) })),
)

var _ = It("a client ID cannot be changed, added or taken away, and all else of the spec can", func(ctx context.Context) {
	name := fresh()
	bare, named := builder.ClientCredential(name, "bare"), builder.ClientCredential(name, "named")
	named.Spec.ClientID = "one-" + name
	plane.Create(ctx, bare, named)
	try := func(object *v1alpha1.ClientCredential, change func(*v1alpha1.ClientCredentialSpec)) error {
		changed := object.DeepCopy()
		change(&changed.Spec)
		return plane.API.Patch(ctx, changed, client.MergeFrom(object), client.DryRunAll)
	}
	refused := MatchError(ContainSubstring("clientID cannot be changed, added or taken away"))
	Expect(try(bare, func(s *v1alpha1.ClientCredentialSpec) { s.ClientID = "x" })).To(refused)
	Expect(try(named, func(s *v1alpha1.ClientCredentialSpec) { s.ClientID = "x" })).To(refused)
	Expect(try(named, func(s *v1alpha1.ClientCredentialSpec) { s.ClientID = "" })).To(refused)
	Expect(try(named, func(s *v1alpha1.ClientCredentialSpec) {
		s.AccountRef, s.Scopes = &v1alpha1.AccountReference{Name: "other"}, []v1alpha1.Scope{"MCP"}
		s.SecretRef = &v1alpha1.ClientSecretReference{Name: "theirs"}
		s.AccessToken = &v1alpha1.AccessTokenDelivery{}
	})).To(Succeed())
})

// Without it kstatus, which Flux and Argo CD go by, takes an object that nobody has looked at for one that is current.
var _ = It("an object that no manager has seen says so", func(ctx context.Context) {
	credential, account := builder.ClientCredential("admission", "a"), builder.Account("admission")
	plane.Namespace(ctx, "admission", nil)
	Expect(plane.API.Create(ctx, credential, client.DryRunAll)).To(Succeed())
	Expect(plane.API.Create(ctx, account, client.DryRunAll)).To(Succeed())
	Expect(credential.Status.ObservedGeneration).To(Equal(int64(-1)))
	Expect(account.Status.ObservedGeneration).To(Equal(int64(-1)))
})
