// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"errors"
	"sync"
	"time"

	"github.com/claviger/claviger/internal/circuit"
)

// limits are those of the issuer: it is left alone after each failure.
var limits = circuit.Limits{Failures: 1, LeastRest: 500 * time.Millisecond, MostRest: 10 * time.Second}

var errResting = errors.New("the issuer has just failed, and is left alone for a moment")

// guard keeps questions from an issuer that is away. The zero value lets all through.
type guard struct {
	mutex   sync.Mutex
	breaker circuit.Breaker
}

// enter says whether to ask now. Whoever enters must leave.
func (g *guard) enter(now time.Time) error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if _, may := g.breaker.Wait(limits, now); !may {
		return errResting
	}
	g.breaker.Pass()
	return nil
}

// leave tells how it went.
func (g *guard) leave(now time.Time, err error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if err != nil {
		g.breaker.Fail(limits, now)
		return
	}
	g.breaker.Succeed()
}
