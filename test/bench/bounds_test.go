// SPDX-License-Identifier: Apache-2.0

package bench

import "github.com/claviger/claviger/internal/keyring"

// Bounds of allocations of one request. Whoever makes a hot path allocate more, raises them here and says why.
var issueAllocations = map[string]float64{keyring.AlgorithmES256: 133, keyring.AlgorithmEdDSA: 69, keyring.AlgorithmRS256: 71}

const (
	verifyAllocations     = 13
	verifyNewAllocations  = 103
	introspectAllocations = 43
)
