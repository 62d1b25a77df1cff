// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/server"
)

// Metrics gives the text of the metrics at an address, as soon as a role listens there.
func Metrics(address string) string {
	GinkgoHelper()
	var text string
	Eventually(func() (err error) {
		text, err = get("http://" + address + server.PathMetrics)
		return err
	}).Should(Succeed(), "it listens soon")
	return text
}

// Gauge gives the value of a metric without labels from the text of a role's metrics.
func Gauge(metrics, name string) float64 {
	GinkgoHelper()
	for line := range strings.Lines(metrics) {
		if value, is := strings.CutPrefix(strings.TrimSpace(line), name+" "); is {
			number, err := strconv.ParseFloat(value, 64)
			Expect(err).NotTo(HaveOccurred())
			return number
		}
	}
	Fail("there is no metric " + name)
	return 0
}
