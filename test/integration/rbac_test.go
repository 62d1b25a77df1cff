// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/sandbox"
	"github.com/claviger/claviger/test/builder"
)

// Each row is an attempt that a role which was taken over might make.
var _ = DescribeTable("a role may not", func(ctx context.Context, serviceAccount string, attempt func(context.Context, client.Client, string) error) {
	plane.StartManager(nil)
	name := fresh()
	orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
	plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), orders)
	plane.ExpectReady(ctx, orders)
	intruder, err := client.New(plane.Identity(serviceAccount), client.Options{Scheme: plane.API.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	Expect(apierrors.IsForbidden(attempt(ctx, intruder, name))).To(BeTrue())
},
	Entry("token service: read a credential's Secret", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "orders"}, &corev1.Secret{})
	}),
	Entry("token service: list all Secrets", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.List(ctx, &corev1.SecretList{})
	}),
	Entry("token service: list the operator's Secrets", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.List(ctx, &corev1.SecretList{}, client.InNamespace(config.Namespace))
	}),
	Entry("token service: change the keys it reads", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Update(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: config.Namespace, Name: v1alpha1.SigningKeysSecretName}})
	}),
	Entry("token service: read the key of the authority", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.List(ctx, &corev1.SecretList{}, client.InNamespace(config.Namespace), client.MatchingFields{"metadata.name": v1alpha1.AuthoritySecretName})
	}),
	Entry("token service: change the certificate it serves", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Update(ctx, operatorSecret(v1alpha1.ServingSecretName))
	}),
	Entry("token service: change a credential's status", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Status().Update(ctx, builder.ClientCredential(namespace, "orders"))
	}),
	Entry("token service: create a credential", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Create(ctx, builder.ClientCredential(namespace, "more"))
	}),
	Entry("token service: revoke where it does not count", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Create(ctx, revokedToken(namespace, "any", time.Now()))
	}),
	Entry("token service: bring a revoked token back to life", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Delete(ctx, revokedToken(config.Namespace, "any", time.Now()))
	}),
	Entry("token service: change what is revoked", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Update(ctx, revokedToken(config.Namespace, "any", time.Now()))
	}),
	Entry("gate: read the signing keys", "claviger-gate", func(ctx context.Context, c client.Client, namespace string) error {
		return c.Get(ctx, client.ObjectKey{Namespace: config.Namespace, Name: v1alpha1.SigningKeysSecretName}, &corev1.Secret{})
	}),
	Entry("gate: list Secrets", "claviger-gate", func(ctx context.Context, c client.Client, namespace string) error {
		return c.List(ctx, &corev1.SecretList{})
	}),
	Entry("gate: revoke a token", "claviger-gate", func(ctx context.Context, c client.Client, namespace string) error {
		return c.Create(ctx, revokedToken(config.Namespace, "any", time.Now()))
	}),
	Entry("gate: create a credential", "claviger-gate", func(ctx context.Context, c client.Client, namespace string) error {
		return c.Create(ctx, builder.ClientCredential(namespace, "more"))
	}),
	Entry("manager: revoke a token", sandbox.ManagerServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Create(ctx, revokedToken(config.Namespace, "any", time.Now()))
	}),
	Entry("manager: delete a RevokedToken that has no effect", sandbox.ManagerServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Delete(ctx, revokedToken(namespace, "any", time.Now()))
	}),
	Entry("manager: change a spec", sandbox.ManagerServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Update(ctx, builder.ClientCredential(namespace, "orders"))
	}),
	Entry("manager: change an Account", sandbox.ManagerServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Update(ctx, builder.Account(namespace))
	}),
	Entry("manager: delete a credential", sandbox.ManagerServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Delete(ctx, builder.ClientCredential(namespace, "orders"))
	}),
	Entry("manager: delete all Secrets at once", sandbox.ManagerServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.DeleteAllOf(ctx, &corev1.Secret{}, client.InNamespace(namespace))
	}),
	Entry("manager: set a finalizer on a credential", sandbox.ManagerServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":["claviger.dev/held"]}}`))
		return c.Patch(ctx, builder.ClientCredential(namespace, "orders"), patch)
	}),
	Entry("manager: take another ServiceAccount's token", sandbox.ManagerServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: config.Namespace, Name: sandbox.TokenServiceServiceAccount}}
		return c.SubResource("token").Create(ctx, account, &authenticationv1.TokenRequest{})
	}),
)
