// SPDX-License-Identifier: Apache-2.0

package limit

import "github.com/prometheus/client_golang/prometheus"

// NewRefusals registers the counter of requests that were refused because a budget is spent.
func NewRefusals(registerer prometheus.Registerer) *prometheus.CounterVec {
	refusals := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "claviger_limited_requests_total",
		Help: "Requests refused with 429 by the budget that is spent: source_and_client, source, client, revocation, or sign_in_token.",
	}, []string{"budget"})
	registerer.MustRegister(refusals)
	for _, budget := range []string{budgetPair, budgetSource, budgetClient, budgetRevocation, budgetSignInToken} {
		refusals.WithLabelValues(budget) // there from the start, so that an alert sees the first one
	}
	return refusals
}
