// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"github.com/claviger/claviger/internal/server/limit"
	"github.com/claviger/claviger/internal/server/source"
)

// LimitOptions bound what strangers and clients can cost the token service. The zero value bounds nothing.
type LimitOptions struct {
	// Failures are the budgets of failed client authentications.
	Failures limit.FailureBudgets
	// Revocations is the budget of RevokedTokens that each client has written.
	Revocations limit.Budget
	// TrustedProxies are networks whose X-Forwarded-For is believed, in CIDR notation.
	TrustedProxies []string

	proxies source.Proxies
}

// DefaultLimits are those of a token service that is told nothing else.
func DefaultLimits() LimitOptions {
	return LimitOptions{
		Failures: limit.FailureBudgets{
			Pair:   limit.Budget{Burst: 20, Every: 3 * time.Second},
			Source: limit.Budget{Burst: 100, Every: time.Second},
			Client: limit.Budget{Burst: 500, Every: time.Second},
		},
		Revocations: limit.Budget{Burst: 200, Every: 10 * time.Second},
	}
}

func (o *LimitOptions) bind(flags *pflag.FlagSet) {
	*o = DefaultLimits()
	flags.Var(&o.Failures.Pair, "failure-budget", `failed client authentications of one source address for one client: how many at once, and the time to one more; "off" bounds nothing`)
	flags.Var(&o.Failures.Source, "failure-budget-per-source", `failed client authentications of one source address for all clients; or "off"`)
	flags.Var(&o.Failures.Client, "failure-budget-per-client", `failed client authentications for one client from all source addresses; or "off"`)
	flags.Var(&o.Revocations, "revocation-budget", `tokens that one client revokes; or "off"`)
	flags.StringSliceVar(&o.TrustedProxies, "trusted-proxies", nil, "networks (CIDR) of proxies whose X-Forwarded-For says where a request comes from")
}

func (o *LimitOptions) complete() error {
	var err error
	if o.proxies, err = source.ParseProxies(o.TrustedProxies); err != nil {
		return fmt.Errorf("--trusted-proxies: %w", err)
	}
	return nil
}

func (o *LimitOptions) budgets(now func() time.Time, registerer prometheus.Registerer) (*limit.Failures, *limit.Writes) {
	refusals := limit.NewRefusals(registerer)
	return limit.NewFailures(o.Failures, now, refusals), limit.NewRevocations(o.Revocations, now, refusals)
}
