// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/claviger/claviger/internal/app"
)

var _ = Describe("traces", func() {
	It("arrive at a receiver, the last ones too, as part of the caller's and without secrets", func() {
		var (
			mutex sync.Mutex
			spans = map[string]int{}
		)
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			defer GinkgoRecover()
			body, err := io.ReadAll(r.Body)
			Expect(err).NotTo(HaveOccurred())
			var export collector.ExportTraceServiceRequest
			Expect(proto.Unmarshal(body, &export)).To(Succeed())
			_, _ = plane.Ledger.Write([]byte(export.String())) // which the suite searches for secrets at its end
			mutex.Lock()
			defer mutex.Unlock()
			for _, resource := range export.ResourceSpans {
				for _, scope := range resource.ScopeSpans {
					for _, span := range scope.Spans {
						spans[span.Name]++
					}
				}
			}
		}))
		defer receiver.Close()
		replica := plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) {
			o.Traces = app.TraceOptions{Endpoint: receiver.URL, SampleRatio: 1}
		})
		token := replica.TakeToken(webhook)
		Expect(replica.Verify(token, webhookPlace, "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").Status).To(Equal(http.StatusOK))
		Expect(replica.Verify("bad", webhookPlace, "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-01").Status).To(Equal(http.StatusUnauthorized))
		Expect(replica.Stop()).To(Succeed())

		mutex.Lock()
		defer mutex.Unlock()
		Expect(spans).To(Equal(map[string]int{"token": 1, "verify": 2}))
		Expect(plane.Ledger.Told()).To(MatchRegexp(`"msg":"access denied",.*"traceID":"4bf92f3577b34da6a3ce929d0e0e4737"`))
	})
})
