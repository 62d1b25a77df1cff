// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/leak"
)

// publicKeys are keys of a credential's Secret that are no secret.
var publicKeys = sets.New(v1alpha1.SecretKeyClientID, v1alpha1.SecretKeyIssuer, v1alpha1.SecretKeyTokenURL,
	v1alpha1.SecretKeyScope, v1alpha1.SecretKeyAccount, v1alpha1.SecretKeyType, v1alpha1.SecretKeyProvider,
	v1alpha1.SecretKeyTokenType, v1alpha1.SecretKeyExpiresAt, v1alpha1.SecretKeyCACert,
	corev1.TLSCertKey, "next.crt")

// Ledger keeps every secret on one side and everything that was told on the other.
type Ledger struct {
	api client.Client

	mutex   sync.Mutex
	secrets sets.Set[string]
	told    bytes.Buffer
}

func newLedger(api client.Client) *Ledger {
	return &Ledger{api: api, secrets: sets.New[string]()}
}

// follow notes all Secrets from now on, through outages, so that the ledger knows also those that are replaced or deleted.
func (l *Ledger) follow(ctx context.Context, admin *rest.Config) {
	GinkgoHelper()
	clients, err := kubernetes.NewForConfig(admin)
	Expect(err).NotTo(HaveOccurred())
	_, informer := toolscache.NewInformerWithOptions(toolscache.InformerOptions{
		ListerWatcher: toolscache.NewListWatchFromClient(clients.CoreV1().RESTClient(), "secrets", corev1.NamespaceAll, fields.Everything()),
		ObjectType:    &corev1.Secret{},
		Handler: toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(object any) { l.addData(object.(*corev1.Secret)) },
			UpdateFunc: func(_, object any) { l.addData(object.(*corev1.Secret)) },
		},
	})
	go informer.RunWithContext(ctx)
}

func (l *Ledger) addData(secret *corev1.Secret) {
	for key, value := range secret.Data {
		if !publicKeys.Has(key) {
			l.Add(string(value))
		}
	}
}

// Add notes a secret: a client secret, a token, a key. Shorter values are none.
func (l *Ledger) Add(secret string) {
	if len(secret) < leak.MinLength {
		return
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.secrets.Insert(secret)
}

// Scrub gives a text of somebody else's without the secrets that the ledger knows, so that a test may print it. It takes its time, and
// lets roles that write to the ledger go on meanwhile: they would answer no request.
func (l *Ledger) Scrub(text string) string {
	l.mutex.Lock()
	secrets := l.secrets.UnsortedList()
	l.mutex.Unlock()
	for _, secret := range secrets {
		for _, form := range leak.Forms(secret) {
			text = strings.ReplaceAll(text, form, "[secret]")
		}
	}
	return text
}

// Write notes what was told, as an io.Writer for logs.
func (l *Ledger) Write(line []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.told.Write(line)
}

// tell notes what an object, or a list of them, says.
func (l *Ledger) tell(object runtime.Object) {
	GinkgoHelper()
	raw, err := json.Marshal(object)
	Expect(err).NotTo(HaveOccurred())
	_, _ = l.Write(raw)
}

// Told gives everything that was told until now.
func (l *Ledger) Told() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.told.String()
}

// ExpectNoLeak collects events and objects as they are now, and expects that nothing that was ever told, in a log, a
// metric, an event or an object, holds a secret in any form.
func (l *Ledger) ExpectNoLeak(ctx context.Context) {
	GinkgoHelper()
	for _, list := range []client.ObjectList{
		&eventsv1.EventList{}, &v1alpha1.AccountList{}, &v1alpha1.ClientCredentialList{}, &v1alpha1.ProtectedResourceList{},
		&v1alpha1.RevokedTokenList{}, &v1alpha1.ConnectorList{}, &v1alpha1.AccountConnectorList{},
	} {
		Expect(l.api.List(ctx, list)).To(Succeed())
		l.tell(list)
	}
	var secrets corev1.SecretList
	Expect(l.api.List(ctx, &secrets)).To(Succeed())
	for i := range secrets.Items {
		l.addData(&secrets.Items[i])
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	Expect(l.secrets.Len()).To(BeNumerically(">", 2), "the ledger knows no secrets, so this test proves nothing")
	Expect(l.told.Len()).To(BeNumerically(">", 1000), "the ledger was told nothing, so this test proves nothing")
	// Not a matcher on the text: its message would print the secret.
	found := leak.Find(l.told.String(), maps.Keys(l.secrets))
	Expect(len(found)).To(BeZero(), "a secret of that many bytes was told")
	AddReportEntry("leak check", fmt.Sprintf("%d secrets in %d bytes of logs, metrics, events and objects: none found", l.secrets.Len(), l.told.Len()))
}
