// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	Entry("token service: change a credential's status", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Status().Update(ctx, builder.ClientCredential(namespace, "orders"))
	}),
	Entry("token service: create a credential", sandbox.TokenServiceServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Create(ctx, builder.ClientCredential(namespace, "more"))
	}),
	Entry("manager: change a spec", sandbox.ManagerServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Update(ctx, builder.ClientCredential(namespace, "orders"))
	}),
	Entry("manager: change an Account", sandbox.ManagerServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Update(ctx, builder.Account(namespace))
	}),
	Entry("manager: delete a Secret", sandbox.ManagerServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		return c.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "orders"}})
	}),
	Entry("manager: take another ServiceAccount's token", sandbox.ManagerServiceAccount, func(ctx context.Context, c client.Client, namespace string) error {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: config.Namespace, Name: sandbox.TokenServiceServiceAccount}}
		return c.SubResource("token").Create(ctx, account, &authenticationv1.TokenRequest{})
	}),
)
