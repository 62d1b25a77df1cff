// SPDX-License-Identifier: Apache-2.0

package connector

// Kept is all that is kept of a grant.
type Kept struct {
	Record Record
	// Properties are those of the AccountConnector, with their values.
	Properties map[string]string
	// Pending is a sign-in that is not confirmed. Nil: there is none.
	Pending *Pending
	Version Version
}

// Change is what changes of what is kept of a grant. What is nil stays as it is.
type Change struct {
	Record *Record
	// Properties replace those that there are.
	Properties map[string]string
	// Pending is kept beside the record. With DropPending there is none any more.
	Pending     *Pending
	DropPending bool
}

// Empty reports whether nothing changes.
func (c Change) Empty() bool {
	return c.Record == nil && c.Properties == nil && c.Pending == nil && !c.DropPending
}
