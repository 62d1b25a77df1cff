// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	claviger "github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/e2e/seen"
)

const (
	// overlap is longer than the kubelet takes to renew what is mounted.
	overlap = 40 * time.Second
	// takeover is how soon another manager must act.
	takeover = 20 * time.Second
)

var _ = Describe("Claviger, installed by Kustomize", Ordered, func() {
	var remove func(context.Context)

	BeforeAll(func(ctx context.Context) { remove = it.byKustomize(ctx, root, it.image) })

	It("takes the samples", func(ctx context.Context) { it.samples(ctx) })

	It("serves pods that know nothing but what is mounted", func(ctx context.Context) {
		it.guard(ctx)
		it.ready(ctx,
			credential("robot", builder.ServiceAccounts("robot")), credential("client", builder.Overlap(overlap)), credential("load"),
			&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: acme, Name: "robot"}})
		robot := pod("robot", identityVolume("robot"), it.does("client", "--url="+guarded))
		robot.Spec.ServiceAccountName = "robot"
		it.ready(ctx, robot,
			pod("client", secretVolume("client"), it.does("client", "--url="+guarded)),
			pod("load", secretVolume("load"), it.does("load", "--url="+verify, "--rate=50")))
		for _, name := range []string{"client", "robot", "load"} {
			it.sees(ctx, name, "tokens are issued, and are good", more(&seen.Record{}, 5))
		}
	})

	It("rotates into a volume that is mounted, and ends the old secret", func(ctx context.Context) {
		before := &corev1.Secret{}
		Expect(it.Get(ctx, client.ObjectKey{Namespace: acme, Name: "client"}, before)).To(Succeed())
		it.ready(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: acme, Name: "old"}, Data: before.Data})
		Expect(it.ends(ctx, pod("old-1", secretVolume("old"), it.does("token")))).To(BeEmpty(), "what was copied is good")
		run(ctx, it.kubectl, "annotate", "-n", acme, "clientcredential/client", "claviger.dev/rotate=now")
		told := it.sees(ctx, "client", "it is given another secret", func(now *seen.Record) bool { return now.Rotations == 1 })

		Eventually(func() int { return len(it.named(ctx, "client").Status.Verifiers) }).Should(Equal(1), "the overlap ends")
		Expect(it.ends(ctx, pod("old-2", secretVolume("old"), it.does("token")))).To(ContainSubstring("invalid_client"))
		it.sees(ctx, "client", "it never failed", more(told, 1))
	})

	It("loses no request, whatever is lost", func(ctx context.Context) {
		told := it.sees(ctx, "load", "it runs", more(&seen.Record{}, 1))
		AddReportEntry("what the roles take", it.resources(ctx))
		for _, loss := range []struct {
			what string
			lose func(context.Context)
		}{
			{"the manager that leads", it.loseLeader},
			{"every pod of the token service, one after the other", it.loseTokenService},
			{"all pods, by a restart of all Deployments", it.restartAll},
			{"etcd", it.losing("etcd")},
			{"the API server", it.losing("apiserver")},
		} {
			By("losing " + loss.what)
			loss.lose(ctx)
			for _, name := range []string{"client", "robot"} {
				it.sees(ctx, name, "after the loss of "+loss.what, func(*seen.Record) bool { return true })
			}
			told = it.sees(ctx, "load", "after the loss of "+loss.what, more(told, 20))
			AddReportEntry("after the loss of "+loss.what, fmt.Sprintf("%d tokens issued, %d verified, none failed", told.Issued, told.Verified))
		}
	})

	It("lets a namespace go, also while it is down itself", func(ctx context.Context) {
		it.globex(ctx)
		it.scale(ctx, 0)
		run(ctx, it.kubectl, "delete", "namespace", "globex", "--wait=false")
		record := &corev1.SecretList{}
		Expect(it.List(ctx, record, client.InNamespace(claviger.ConnectionsNamespace))).To(Succeed())
		Expect(record.Items).To(HaveLen(1), "the record of a connection waits for the manager")
		it.scale(ctx, 2)
		run(ctx, it.kubectl, "wait", "--for=delete", "namespace/globex", "--timeout=90s")
		Expect(it.List(ctx, record, client.InNamespace(claviger.ConnectionsNamespace))).To(Succeed())
		Expect(record.Items).To(BeEmpty(), "and is gone with it")
		run(ctx, it.kubectl, "delete", "account/globex", "connector/crm")
	})

	It("leaves nothing when it is removed, but what it is asked to", func(ctx context.Context) {
		it.globex(ctx)
		remove(ctx)
		it.expectGone(ctx)
		secrets := &corev1.SecretList{}
		Eventually(func() []string {
			Expect(it.List(ctx, secrets, client.MatchingLabels{"app.kubernetes.io/managed-by": "claviger"})).To(Succeed())
			return names(secrets.Items)
		}).Should(ConsistOf("globex/kept"), "Secrets go with their credentials, but for deletionPolicy: Retain")
		run(ctx, it.kubectl, "delete", "namespace", acme, "globex", "--timeout=90s")
	})
})

var _ = Describe("Claviger, installed by Helm", Ordered, func() {
	var remove func(context.Context)

	BeforeAll(func(ctx context.Context) { remove = it.byHelm(ctx, it.image) })

	It("serves a pod of the samples", func(ctx context.Context) {
		it.samples(ctx)
		Expect(it.ends(ctx, pod("once", secretVolume("orders"), it.does("token")))).To(BeEmpty())
	})

	It("keeps the kinds, and with them all objects, when it is removed", func(ctx context.Context) {
		remove(ctx)
		secret := &corev1.Secret{}
		Expect(it.Get(ctx, client.ObjectKey{Namespace: acme, Name: "orders"}, secret)).To(Succeed())
		Expect(it.named(ctx, "orders").UID).NotTo(BeEmpty())
	})

	It("leaves nothing when these are deleted, too", func(ctx context.Context) {
		run(ctx, it.kubectl, "delete", "crd", "-l", "app.kubernetes.io/name=claviger", "--timeout=60s")
		run(ctx, it.kubectl, "delete", "namespace", acme, claviger.Namespace, claviger.ConnectionsNamespace, "--timeout=90s")
		it.expectGone(ctx)
	})
})

var _ = Describe("Claviger of the commit before", Ordered, Label("upgrade"), func() {
	It("is upgraded without a request that fails, and without a change of any Secret", func(ctx context.Context) {
		it.byKustomize(ctx, it.previous, it.before)
		it.samples(ctx)
		it.ready(ctx, credential("load"), pod("load", secretVolume("load"), it.does("load", "--url="+verify, "--rate=50")))
		told := it.sees(ctx, "load", "it runs", more(&seen.Record{}, 20))
		before := it.versions(ctx)

		remove := it.byKustomize(ctx, root, it.image)
		told = it.sees(ctx, "load", "after the upgrade", more(told, 100))
		AddReportEntry("under load", fmt.Sprintf("%d tokens issued, %d verified, none failed", told.Issued, told.Verified))
		it.ready(ctx, credential("new"))
		after := it.versions(ctx)
		for name, version := range before {
			Expect(after).To(HaveKeyWithValue(name, version))
		}
		Expect(before).To(HaveLen(2))
		remove(ctx)
		run(ctx, it.kubectl, "delete", "namespace", acme, "--timeout=90s")
		it.expectGone(ctx)
	})
})

// named gives a credential of Acme's.
func (c *cluster) named(ctx context.Context, name string) *v1alpha1.ClientCredential {
	GinkgoHelper()
	credential := &v1alpha1.ClientCredential{}
	Expect(c.Get(ctx, client.ObjectKey{Namespace: acme, Name: name}, credential)).To(Succeed())
	return credential
}

// globex makes a tenant with a connection.
func (c *cluster) globex(ctx context.Context) {
	GinkgoHelper()
	run(ctx, c.kubectl, "apply", "--server-side", "-f", filepath.Join("testdata", "connection.yaml"))
	run(ctx, c.kubectl, "wait", "-n", "globex", "clientcredential,accountconnector", "--all", "--for=condition=Ready", "--timeout=60s")
}

// scale has so many managers.
func (c *cluster) scale(ctx context.Context, replicas int) {
	GinkgoHelper()
	run(ctx, c.kubectl, "-n", claviger.Namespace, "scale", "deployment/claviger-manager", fmt.Sprintf("--replicas=%d", replicas), "--timeout=60s")
	c.roles(ctx)
}

// loseLeader deletes the manager that holds the lease, and waits until another one acts.
func (c *cluster) loseLeader(ctx context.Context) {
	GinkgoHelper()
	lease := &coordinationv1.Lease{}
	Expect(c.Get(ctx, client.ObjectKey{Namespace: claviger.Namespace, Name: "claviger-manager"}, lease)).To(Succeed())
	leader, _, _ := strings.Cut(*lease.Spec.HolderIdentity, "_")
	Expect(c.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: claviger.Namespace, Name: leader}})).To(Succeed())
	c.acts(ctx, "a new leader acts")
	c.roles(ctx)
}

// acts waits until a manager acts.
func (c *cluster) acts(ctx context.Context, what string) {
	GinkgoHelper()
	fresh := credential("fresh")
	Expect(c.Create(ctx, fresh)).To(Succeed())
	within(takeover, what, func() bool { return c.isReady(ctx, fresh) })
	Expect(c.Delete(ctx, fresh)).To(Succeed())
}

// loseTokenService deletes its pods one by one, each when there is another one for that before.
func (c *cluster) loseTokenService(ctx context.Context) {
	GinkgoHelper()
	pods := &corev1.PodList{}
	Expect(c.List(ctx, pods, client.InNamespace(claviger.Namespace), client.MatchingLabels{"app.kubernetes.io/component": "token-service"})).To(Succeed())
	Expect(pods.Items).To(HaveLen(2))
	for i := range pods.Items {
		Expect(c.Delete(ctx, &pods.Items[i])).To(Succeed())
		gone := func() bool {
			return apierrors.IsNotFound(c.Get(ctx, client.ObjectKeyFromObject(&pods.Items[i]), &corev1.Pod{}))
		}
		Eventually(gone).Should(BeTrue())
		c.roles(ctx)
	}
}

// restartAll restarts all Deployments, as a new image or a rotation of nodes does.
func (c *cluster) restartAll(ctx context.Context) {
	GinkgoHelper()
	run(ctx, c.kubectl, "-n", claviger.Namespace, "rollout", "restart", "deployment")
	c.roles(ctx)
}

// losing restarts a part of the control plane, and waits until all is as before.
func (c *cluster) losing(part string) func(context.Context) {
	return func(ctx context.Context) {
		GinkgoHelper()
		run(ctx, "bash", "-c", c.restart+" "+part)
		fresh := credential("fresh-" + part)
		Eventually(func() error { return client.IgnoreAlreadyExists(c.Create(ctx, fresh)) }).Should(Succeed(), "the API server is back")
		Eventually(c.isReady).WithArguments(ctx, fresh).Should(BeTrue(), "the manager goes on")
		Eventually(func() error { return c.Delete(ctx, fresh) }).Should(Succeed())
		for _, role := range []string{"manager", "token-service", "connect"} {
			Eventually(func() int32 {
				deployment := &appsv1.Deployment{}
				_ = c.Get(ctx, client.ObjectKey{Namespace: claviger.Namespace, Name: "claviger-" + role}, deployment)
				return deployment.Status.AvailableReplicas
			}).Should(BeEquivalentTo(2), role)
		}
	}
}

// versions gives which Secrets of Acme's there are, and in which version.
func (c *cluster) versions(ctx context.Context) map[string]string {
	GinkgoHelper()
	secrets, versions := &corev1.SecretList{}, map[string]string{}
	Expect(c.List(ctx, secrets, client.InNamespace(acme), client.MatchingLabels{"app.kubernetes.io/managed-by": "claviger"})).To(Succeed())
	for _, secret := range secrets.Items {
		versions[secret.Name] = string(secret.UID) + " " + secret.ResourceVersion
	}
	return versions
}

func names(secrets []corev1.Secret) []string {
	var all []string
	for _, secret := range secrets {
		all = append(all, secret.Namespace+"/"+secret.Name)
	}
	return all
}

// expectGone: nothing of Claviger's is left in the cluster.
func (c *cluster) expectGone(ctx context.Context) {
	GinkgoHelper()
	for _, kind := range []string{
		"crd", "clusterrole", "clusterrolebinding", "namespace", "role -A", "rolebinding -A", "deployment -A", "service -A", "networkpolicy -A",
		"poddisruptionbudget -A", "serviceaccount -A",
	} {
		left := run(ctx, c.kubectl, append(append([]string{"get"}, strings.Fields(kind)...), "-l", "app.kubernetes.io/name=claviger", "-o", "name")...)
		Expect(strings.TrimSpace(left)).To(BeEmpty(), kind)
	}
	for _, name := range []string{claviger.Namespace, claviger.ConnectionsNamespace} {
		run(ctx, c.kubectl, "wait", "--for=delete", "namespace/"+name, "--timeout=60s")
	}
}
