// SPDX-License-Identifier: Apache-2.0

package issuer

import "net/netip"

// FailureBudget bounds failed client authentications. It answers from memory, and alike for clients that exist and those that do
// not.
type FailureBudget interface {
	// Admit says whether a source may try to authenticate as any of these clients, which are all that its request may be read to
	// name; none where it names none. It fails with temporarily_unavailable.
	Admit(source netip.Addr, clientIDs ...string) error
	// Failed notes that it could not. An error, temporarily_unavailable, is the answer in place of what went wrong.
	Failed(source netip.Addr, clientIDs ...string) error
	// Succeeded notes that a source is the client that it says.
	Succeeded(source netip.Addr, clientID string)
}

// RevocationBudget bounds how many tokens a client revokes, because each is an object until the token would have expired.
type RevocationBudget interface {
	// Spend takes one from the client's budget. It fails with temporarily_unavailable where there is none left.
	Spend(clientID string) error
}
