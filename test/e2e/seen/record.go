// SPDX-License-Identifier: Apache-2.0

// Package seen is what a workload of the end-to-end tests tells of itself, for the tests to read.
package seen

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// kept is how many failures are told in words.
const kept = 20

// Record is what was seen since the start.
type Record struct {
	mutex sync.Mutex

	// Issued, Verified and Called count requests for tokens, verdicts, and calls of what is guarded, that went well.
	Issued   int `json:"issued"`
	Verified int `json:"verified"`
	Called   int `json:"called"`
	// Rotations counts how often what is mounted had another client secret than before.
	Rotations int `json:"rotations"`
	// Failed counts requests that did not go well, and Failures says of the first of them when and how.
	Failed   int      `json:"failed"`
	Failures []string `json:"failures,omitempty"`
}

// Note counts one request.
func (r *Record) Note(count *int, err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if err == nil {
		*count++
		return
	}
	r.Failed++
	if len(r.Failures) < kept {
		r.Failures = append(r.Failures, fmt.Sprintf("%s %v", time.Now().UTC().Format(time.RFC3339), err))
	}
}

// Changes tells how often the client secret was another.
func (r *Record) Changes(count int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.Rotations = count
}

// Print writes it as one line.
func (r *Record) Print(to io.Writer) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	_ = json.NewEncoder(to).Encode(r) // where nobody reads, nobody misses it
}
