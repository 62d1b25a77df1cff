// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	claviger "github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/e2e/seen"
)

const (
	// acme is the tenant of the samples, and its namespace.
	acme = "acme"
	// mounted is where a pod finds what it is given.
	mounted = "/var/run/claviger"
	// guarded is a service that is behind a gate.
	guarded = "http://guarded." + acme + ".svc:8088/"
	// verify is a question that a gateway would ask of every call.
	verify = "https://claviger-token-service." + claviger.Namespace + ".svc/verify?scope=Webhook&account=" + acme
	issuer = "https://claviger-token-service." + claviger.Namespace + ".svc"
)

// ready makes objects, and waits until the credentials among them are Ready.
func (c *cluster) ready(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, object := range objects {
		Expect(c.Create(ctx, object)).To(Succeed())
	}
	for _, object := range objects {
		if credential, is := object.(*v1alpha1.ClientCredential); is {
			Eventually(c.isReady).WithArguments(ctx, credential).Should(BeTrue(), "%s is Ready", credential.Name)
		}
	}
}

func (c *cluster) isReady(ctx context.Context, of *v1alpha1.ClientCredential) bool {
	now := &v1alpha1.ClientCredential{}
	return c.Get(ctx, client.ObjectKeyFromObject(of), now) == nil && meta.IsStatusConditionTrue(now.Status.Conditions, v1alpha1.ConditionReady)
}

// credential is one of Acme's that may call its webhooks.
func credential(name string, options ...builder.CredentialOption) *v1alpha1.ClientCredential {
	return builder.ClientCredential(acme, name, append([]builder.CredentialOption{builder.ForAccount(acme), builder.WithScopes(v1alpha1.ScopeWebhook)}, options...)...)
}

// secretVolume is the whole Secret of a credential.
func secretVolume(name string) corev1.VolumeSource {
	return corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}}
}

// identityVolume is a ServiceAccount token for the issuer, with what is no secret of a credential.
func identityVolume(name string) corev1.VolumeSource {
	var items []corev1.KeyToPath
	for _, key := range []string{"client_id", "token_url", "ca.crt"} {
		items = append(items, corev1.KeyToPath{Key: key, Path: key})
	}
	expiry := int64(600)
	return corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
		{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", Audience: issuer, ExpirationSeconds: &expiry}},
		{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Items: items}},
	}}}
}

// container is one that may do nothing but run.
func container(name, image string, args ...string) corev1.Container {
	no, yes := false, true
	return corev1.Container{
		Name: name, Image: image, Args: args,
		VolumeMounts: []corev1.VolumeMount{{Name: "claviger", MountPath: mounted, ReadOnly: true}},
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes, RunAsNonRoot: &yes,
			Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
}

// pod is one of Acme's, with something of a credential mounted.
func pod(name string, volume corev1.VolumeSource, containers ...corev1.Container) *corev1.Pod {
	no, soon := false, int64(1)
	user := int64(65532)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: acme, Name: name, Labels: map[string]string{"app": name}},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: &no, TerminationGracePeriodSeconds: &soon,
			SecurityContext: &corev1.PodSecurityContext{FSGroup: &user},
			Volumes:         []corev1.Volume{{Name: "claviger", VolumeSource: volume}},
			Containers:      containers,
		},
	}
}

// does is a container of test/e2e/workload.
func (c *cluster) does(what string, args ...string) corev1.Container {
	return container("workload", c.workload, append([]string{what, "--dir=" + mounted}, args...)...)
}

// guard puts a service behind a gate that asks the token service.
func (c *cluster) guard(ctx context.Context) {
	GinkgoHelper()
	c.ready(ctx, credential("guard"))
	gate := container("gate", c.image, "gate", "--source=introspection", "--issuer="+issuer, "--issuer-ca-file="+mounted+"/ca.crt",
		"--introspection-credentials="+mounted, "--scope=Webhook", "--account="+acme, "--upstream=http://127.0.0.1:9000",
		"--listen=:8088", "--allow-plain-http", "--metrics-bind-address=:8080")
	gate.ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/readyz", Port: intstr.FromInt32(8080)}}}
	behind := pod("guarded", secretVolume("guard"), gate, c.does("echo"))
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: acme, Name: "guarded"}}
	service.Spec.Selector, service.Spec.Ports = behind.Labels, []corev1.ServicePort{{Port: 8088}}
	c.ready(ctx, behind, service)
	Eventually(func() bool {
		now := &corev1.Pod{}
		if c.Get(ctx, client.ObjectKeyFromObject(behind), now) != nil {
			return false
		}
		for _, condition := range now.Status.Conditions {
			if condition.Type == corev1.PodReady {
				return condition.Status == corev1.ConditionTrue
			}
		}
		return false
	}).Should(BeTrue(), "the gate is ready")
}

// tells gives what a pod has told last.
func (c *cluster) tells(ctx context.Context, pod string) (*seen.Record, error) {
	last := int64(1)
	stream, err := c.logs.CoreV1().Pods(acme).GetLogs(pod, &corev1.PodLogOptions{Container: "workload", TailLines: &last}).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("logs of %s: %w", pod, err)
	}
	defer stream.Close()
	line, err := io.ReadAll(stream)
	if err != nil {
		return nil, fmt.Errorf("logs of %s: %w", pod, err)
	}
	told := &seen.Record{}
	if err := json.NewDecoder(bytes.NewReader(line)).Decode(told); err != nil {
		return nil, fmt.Errorf("logs of %s: %w: %s", pod, err, line)
	}
	return told, nil
}

// sees waits until a pod has seen something, and fails where a request of its failed.
func (c *cluster) sees(ctx context.Context, pod, what string, enough func(*seen.Record) bool) *seen.Record {
	GinkgoHelper()
	var told *seen.Record
	Eventually(func(g Gomega) bool {
		var err error
		told, err = c.tells(ctx, pod)
		g.Expect(err).NotTo(HaveOccurred())
		return enough(told)
	}).Should(BeTrue(), "%s: %s", pod, what)
	Expect(told.Failed).To(BeZero(), "%s:\n%s", pod, strings.Join(told.Failures, "\n"))
	return told
}

// sees more of everything that it does than it had.
func more(than *seen.Record, by int) func(*seen.Record) bool {
	return func(now *seen.Record) bool {
		return now.Issued >= than.Issued+by && (now.Verified >= than.Verified+by || now.Called >= than.Called+by)
	}
}

// ends waits until a pod has ended, and gives what its log says, or nothing where it went well.
func (c *cluster) ends(ctx context.Context, of *corev1.Pod) string {
	GinkgoHelper()
	Expect(c.Create(ctx, of)).To(Succeed())
	now := &corev1.Pod{}
	Eventually(func() corev1.PodPhase {
		if c.Get(ctx, client.ObjectKeyFromObject(of), now) != nil {
			return ""
		}
		return now.Status.Phase
	}).Should(BeElementOf(corev1.PodSucceeded, corev1.PodFailed))
	if now.Status.Phase == corev1.PodSucceeded {
		return ""
	}
	text, err := c.logs.CoreV1().Pods(of.Namespace).GetLogs(of.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}
