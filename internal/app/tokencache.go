// SPDX-License-Identifier: Apache-2.0

package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/token"
)

// DefaultTokenCacheSize is for how many tokens there is room by default. One takes about 600 bytes, and never more than the 8 KiB
// that a token may have: some 10 MiB, and 128 MiB at worst.
const DefaultTokenCacheSize = 16384

// newTokenCache makes the cache of verified tokens and registers its metrics. Size 0: there is none.
func newTokenCache(size int, registerer prometheus.Registerer) *token.Cache {
	tokens := token.NewCache(size)
	if tokens == nil {
		return nil
	}
	count := func(result string, read func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name:        "claviger_token_cache_requests_total",
			Help:        "Tokens looked for in the cache of verified tokens, by result: hit, or miss.",
			ConstLabels: prometheus.Labels{"result": result},
		}, func() float64 { return float64(read()) })
	}
	registerer.MustRegister(count("hit", tokens.Hits), count("miss", tokens.Misses),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "claviger_token_cache_entries",
			Help: "Tokens in the cache of verified tokens.",
		}, func() float64 { return float64(tokens.Len()) }))
	return tokens
}
