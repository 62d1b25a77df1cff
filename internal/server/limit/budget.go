// SPDX-License-Identifier: Apache-2.0

// Package limit bounds what costs: failed client authentications, so that nobody guesses for long, and objects that clients have
// written. What it remembers is bounded too, in bytes, whatever is sent. It knows no HTTP; all of it is safe for concurrent use.
package limit

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of a budget.
const (
	maxBurst = 1_000_000
	maxEvery = 24 * time.Hour
)

// off is how a budget that bounds nothing is written.
const off = "off"

// Budget is what may be spent: Burst at once, and one more every Every. The zero value bounds nothing. It is a pflag.Value,
// written "20/3s" or "off".
type Budget struct {
	Burst int
	Every time.Duration
}

// Unlimited reports whether the budget bounds nothing.
func (b Budget) Unlimited() bool { return b == Budget{} }

// String gives the form that Set reads.
func (b Budget) String() string {
	if b.Unlimited() {
		return off
	}
	return strconv.Itoa(b.Burst) + "/" + b.Every.String()
}

// Set reads "<burst>/<time to the next>", such as "20/3s", or "off".
func (b *Budget) Set(text string) error {
	if text == off {
		*b = Budget{}
		return nil
	}
	first, second, _ := strings.Cut(text, "/")
	burst, burstErr := strconv.Atoi(first)
	every, everyErr := time.ParseDuration(second)
	if burstErr != nil || everyErr != nil {
		return fmt.Errorf("%q is neither of the form 20/3s nor %s", text, off)
	}
	if burst < 1 || burst > maxBurst || every < time.Millisecond || every > maxEvery {
		return fmt.Errorf("%q is not of 1 to %d at once and one more every 1ms to %v", text, maxBurst, maxEvery)
	}
	*b = Budget{Burst: burst, Every: every}
	return nil
}

// Type names the value in --help.
func (Budget) Type() string { return "burst/interval" }

func (b Budget) bucket() *rate.Limiter { return rate.NewLimiter(rate.Every(b.Every), b.Burst) }
