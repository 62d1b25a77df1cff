// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
)

// patience bounds how long a suite waits for the manager. It is long because machines are slow, not because the manager is.
const patience = 2 * time.Minute

// What must come within a second is looked at a hundred times, ten milliseconds apart. Looks are counted, not seconds: on a
// machine that stands still for a while, so does the count.
const (
	looks = 100
	pause = 10 * time.Millisecond
)

// ExpectPromptly waits for what must come within a second.
func ExpectPromptly[T comparable](actual func() T, want T) {
	GinkgoHelper()
	got := actual()
	for look := 1; got != want && look < looks; look++ {
		time.Sleep(pause)
		got = actual()
	}
	Expect(got).To(Equal(want), "within a second")
}

// Reason gives the reason of Ready as the status has it, for the object's current generation, or "".
func (p *Plane) Reason(ctx context.Context, credential *v1alpha1.ClientCredential) string {
	current := &v1alpha1.ClientCredential{}
	if err := p.API.Get(ctx, client.ObjectKeyFromObject(credential), current); err != nil {
		return ""
	}
	ready := meta.FindStatusCondition(current.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.ObservedGeneration != current.Generation || current.Status.ObservedGeneration != current.Generation {
		return ""
	}
	return ready.Reason
}

// ExpectReason waits until Ready has the reason, and checks that the conditions agree with each other.
func (p *Plane) ExpectReason(ctx context.Context, credential *v1alpha1.ClientCredential, reason string) {
	GinkgoHelper()
	Eventually(p.Reason).WithArguments(ctx, credential).WithPolling(20*time.Millisecond).
		Should(Equal(reason), "reason of Ready of %s", describe(credential))
	Expect(p.API.Get(ctx, client.ObjectKeyFromObject(credential), credential)).To(Succeed())
	expectConsistent(credential.Status.Conditions)
}

// ExpectReady waits until a credential is Ready, and gives what is in its Secret.
func (p *Plane) ExpectReady(ctx context.Context, credential *v1alpha1.ClientCredential) Credentials {
	GinkgoHelper()
	p.ExpectReason(ctx, credential, v1alpha1.ReasonIssued)
	return p.Credentials(ctx, credential)
}

// expectConsistent: Ready is True exactly where all that it is the summary of are, and then nothing is wrong; otherwise
// exactly one of Reconciling and Stalled says what kstatus shall make of it.
func expectConsistent(conditions []metav1.Condition) {
	GinkgoHelper()
	is := func(name string) bool { return meta.IsStatusConditionTrue(conditions, name) }
	Expect(is(v1alpha1.ConditionReady)).To(Equal(is(v1alpha1.ConditionAllowed) && is(v1alpha1.ConditionSecretPublished) &&
		!meta.IsStatusConditionFalse(conditions, v1alpha1.ConditionKeysValid) &&
		!meta.IsStatusConditionFalse(conditions, v1alpha1.ConditionResourcesFound)))
	abnormal := 0
	for _, name := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if condition := meta.FindStatusCondition(conditions, name); condition != nil {
			Expect(condition.Status).To(Equal(metav1.ConditionTrue), "%s is there only while it is True", name)
			abnormal++
		}
	}
	if is(v1alpha1.ConditionReady) {
		Expect(abnormal).To(Equal(0), "a Ready object is neither Reconciling nor Stalled")
	} else {
		Expect(abnormal).To(Equal(1), "an object that is not Ready is either Reconciling or Stalled")
	}
}

// Secret gives the Secret of a credential, which must exist: the one that its status names, else that of its own name.
func (p *Plane) Secret(ctx context.Context, credential *v1alpha1.ClientCredential) *corev1.Secret {
	GinkgoHelper()
	secret, key := &corev1.Secret{}, client.ObjectKeyFromObject(credential)
	if credential.Status.Binding != nil {
		key.Name = credential.Status.Binding.Name
	}
	Expect(p.API.Get(ctx, key, secret)).To(Succeed())
	return secret
}

// Credentials reads what a workload would read.
func (p *Plane) Credentials(ctx context.Context, credential *v1alpha1.ClientCredential) Credentials {
	GinkgoHelper()
	secret := p.Secret(ctx, credential)
	credentials := Credentials{
		ID:     string(secret.Data[v1alpha1.SecretKeyClientID]),
		Secret: string(secret.Data[v1alpha1.SecretKeyClientSecret]),
	}
	p.Ledger.Add(credentials.Secret)
	return credentials
}
