// SPDX-License-Identifier: Apache-2.0

package harness

import "github.com/claviger/claviger/test/clock"

// Clock is one that a test moves.
type Clock = clock.Clock
