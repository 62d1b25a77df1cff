// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/notification"
	"github.com/claviger/claviger/test/harness"
)

// receiver is a notification hook, which notes what it is told, and refuses all while it is closed.
type receiver struct {
	mutex   sync.Mutex
	closed  bool
	refused int
	told    []notification.Message
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	message := notification.Message{ID: request.Header.Get("Webhook-Id")}
	if r.closed || json.NewDecoder(request.Body).Decode(&message) != nil {
		r.refused++
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	r.told = append(r.told, message)
}

// about gives what it was told of a connection: types and reasons.
func (r *receiver) about(crm *v1alpha1.AccountConnector) []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var told []string
	for _, message := range r.told {
		if message.Data.Namespace == crm.Namespace {
			told = append(told, message.Type+" "+message.Data.Reason)
		}
	}
	return told
}

func (r *receiver) turnedAway() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.refused
}

func (r *receiver) set(closed bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.closed = closed
}

var _ = It("the notification hook is told of a connection that fails, and that is well again, whoever is away meanwhile", func(ctx context.Context) {
	hook := &receiver{closed: true}
	server := httptest.NewServer(hook)
	DeferCleanup(server.Close)
	keys := filepath.Join(GinkgoT().TempDir(), "keys")
	Expect(os.WriteFile(keys, []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), 0o600)).To(Succeed())
	start := func() *harness.Role {
		return plane.StartManagerWith(func(o *app.ManagerOptions) {
			forConnections(o)
			o.NotificationURL, o.NotificationKeyFile = server.URL+"/hook?key=of-the-operator-alone", keys
		})
	}
	plane.Ledger.Add("of-the-operator-alone")
	manager := start()
	to := startApplication()
	crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
	Expect(crm.Status.Notified).To(BeNil())

	By("a hook that is away holds up nothing")
	mine := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: crm.Namespace, Name: "mine"}}
	harness.Patch(ctx, plane, mine, func(s *corev1.Secret) {
		s.Data["secret"] = []byte("another-secret-that-is-wrong")
		s.Data["AuthValue"] = fmt.Appendf(nil, `{"RefreshToken":%q}`, to.refreshToken())
	})
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonMisconfigured))
	Eventually(hook.turnedAway).Should(BeNumerically(">", 0))
	Expect(crm.Status.Notified).To(BeNil())
	Expect(manager.Metrics()).To(MatchRegexp(`claviger_notifications_total\{result="failed",type="connection.failing"\} [1-9]`))

	By("another manager tells it what the one before could not")
	Expect(manager.Stop()).To(Succeed())
	hook.set(false)
	manager = start()
	Eventually(hook.about).WithArguments(crm).Should(Equal([]string{"connection.failing Misconfigured"}))
	Eventually(func() bool { _ = readyReason(ctx, crm); return crm.Status.Notified != nil }).Should(BeTrue())
	Expect(crm.Status.Notified.State).To(Equal(v1alpha1.NotifiedFailing))

	By("it is well again")
	harness.Patch(ctx, plane, mine, func(s *corev1.Secret) { s.Data["secret"] = []byte("secret-of-our-app-registration") })
	Eventually(hook.about).WithArguments(crm).Should(Equal([]string{"connection.failing Misconfigured", "connection.recovered Connected"}))
	Expect(hook.told[0].ID).To(HavePrefix("msg_"))
	Expect(hook.told[0].Data.ID).To(Equal(crm.Namespace + ".crm"))
	Expect(manager.Metrics()).To(And(
		MatchRegexp(`claviger_connection_refreshes_total\{connector="`+crm.Spec.ConnectorRef.Name+`",outcome="granted"\} [1-9]`),
		MatchRegexp(`claviger_connections\{reason="Connected"\} [1-9]`)))
})
