// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

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
