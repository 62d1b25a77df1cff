// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/test/builder"
)

// claimant reads a credential that claims client ID acme.orders.
func claimant(namespace string, uid types.UID, created time.Time) *credential.Client {
	return credential.ReadClient(builder.ClientCredential(namespace, "any",
		builder.ClientIDOverride("acme.orders"), builder.UID(uid), builder.CreatedAt(created)))
}

func TestOutranks(t *testing.T) {
	earlier, later := noon, noon.Add(time.Second)
	for _, row := range []struct {
		name          string
		winner, loser *credential.Client
	}{
		{"the older one has the client ID", claimant("acme", "b", earlier), claimant("acme", "a", later)},
		{"elsewhere too", claimant("beta", "b", earlier), claimant("gamma", "a", later)},
		{"of two of the same second, the UID that sorts first", claimant("acme", "a", earlier), claimant("acme", "b", earlier)},
		{"the namespace that the ID begins with comes before age", claimant("acme", "b", later), claimant("beta", "a", earlier)},
		{"and before the UID", claimant("acme", "b", earlier), claimant("beta", "a", earlier)},
		{"a namespace whose name goes on is another", claimant("acme", "b", later), claimant("acme.orders", "a", earlier)},
		{"and so is one whose name ends sooner", claimant("acme", "b", later), claimant("acm", "a", earlier)},
		{
			"one that has the ID by its name has it before any that names it",
			credential.ReadClient(builder.ClientCredential("acme", "orders", builder.UID("b"), builder.CreatedAt(later))),
			claimant("beta", "a", earlier),
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if !row.winner.Outranks(row.loser) {
				t.Error("the one that shall have the client ID has it not")
			}
			if row.loser.Outranks(row.winner) {
				t.Error("the one that shall not have the client ID has it")
			}
		})
	}
	if one := claimant("acme", "a", noon); one.Outranks(one) {
		t.Error("a client outranks itself")
	}
}
