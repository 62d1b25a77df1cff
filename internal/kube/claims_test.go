// SPDX-License-Identifier: Apache-2.0

package kube_test

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/builder"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// claim makes a credential that claims a client ID. Its UID is its namespace and name; the letters of its name say how old it
// is: a is older than b.
func claim(namespace, name, clientID string, options ...builder.CredentialOption) *v1alpha1.ClientCredential {
	age := time.Duration(name[0]) * time.Second
	options = append([]builder.CredentialOption{
		builder.ClientIDOverride(clientID), builder.UID(types.UID(namespace + "/" + name)), builder.CreatedAt(noon.Add(age)),
	}, options...)
	return builder.ClientCredential(namespace, name, options...)
}

// TestClaims: several objects claim client IDs, and things happen. Who has the ID "shared" then, and who "home.x"?
func TestClaims(t *testing.T) {
	for _, row := range []struct {
		name         string
		do           func(*kube.Directory)
		shared, home string
	}{
		{name: "nobody claims anything", do: func(*kube.Directory) {}},
		{name: "one claims it", do: func(d *kube.Directory) { d.Store(claim("n", "b", "shared")) }, shared: "n/b"},
		{name: "the older has it, whoever comes first", do: func(d *kube.Directory) {
			d.Store(claim("n", "a", "shared"))
			d.Store(claim("m", "b", "shared"))
		}, shared: "n/a"},
		{name: "the older has it, whoever comes last", do: func(d *kube.Directory) {
			d.Store(claim("m", "b", "shared"))
			d.Store(claim("n", "a", "shared"))
		}, shared: "n/a"},
		{name: "one in the namespace that the ID begins with has it, however young", do: func(d *kube.Directory) {
			d.Store(claim("n", "a", "home.x"))
			d.Store(claim("home", "z", "home.x"))
			d.Store(claim("n", "b", "home.x"))
		}, home: "home/z"},
		{name: "the one that has it goes, and the next oldest gets it", do: func(d *kube.Directory) {
			d.Store(claim("n", "c", "shared"))
			d.Store(claim("n", "a", "shared"))
			d.Store(claim("n", "b", "shared"))
			d.Forget(claim("n", "a", "shared"))
		}, shared: "n/b"},
		{name: "one that does not have it goes, and nothing changes", do: func(d *kube.Directory) {
			d.Store(claim("n", "a", "shared"))
			d.Store(claim("n", "b", "shared"))
			d.Forget(claim("n", "b", "shared"))
		}, shared: "n/a"},
		{name: "all go", do: func(d *kube.Directory) {
			d.Store(claim("n", "a", "shared"))
			d.Store(claim("n", "b", "shared"))
			d.Forget(claim("n", "b", "shared"))
			d.Forget(claim("n", "a", "shared"))
		}},
		{name: "one that was never there goes", do: func(d *kube.Directory) {
			d.Store(claim("n", "b", "shared"))
			d.Forget(claim("n", "a", "shared"))
		}, shared: "n/b"},
		{name: "an ID is found out, and the one claimed until then is free", do: func(d *kube.Directory) {
			d.Store(claim("home", "x", ""))
			d.Store(claim("home", "x", "", builder.KnownAs("shared")))
		}, shared: "home/x"},
		{name: "the one that has it takes another, and the next gets it", do: func(d *kube.Directory) {
			d.Store(claim("home", "x", ""))
			d.Store(claim("n", "b", "home.x"))
			d.Store(claim("n", "c", "shared"))
			d.Store(claim("home", "x", "", builder.KnownAs("shared")))
		}, shared: "n/c", home: "n/b"},
		{name: "one takes another, and goes: both are free", do: func(d *kube.Directory) {
			d.Store(claim("home", "x", ""))
			d.Store(claim("home", "x", "", builder.KnownAs("shared")))
			d.Forget(claim("home", "x", ""))
		}},
		{name: "the last state that was seen of one that is gone is an old one", do: func(d *kube.Directory) {
			d.Store(claim("home", "x", "", builder.KnownAs("shared")))
			d.Forget(toolscache.DeletedFinalStateUnknown{Key: "home/x", Obj: claim("home", "x", "")})
		}},
		{name: "one is deleted and created again, and that is seen as a change: it is the younger now", do: func(d *kube.Directory) {
			d.Store(claim("n", "a", "shared"))
			d.Store(claim("n", "b", "shared"))
			d.Store(claim("n", "a", "shared", builder.CreatedAt(noon.Add(time.Hour)), builder.UID("another life")))
		}, shared: "n/b"},
		{name: "one of two in the same second has it, whatever the order", do: func(d *kube.Directory) {
			for range 9 {
				d.Store(claim("n", "a", "shared"))
				d.Store(claim("m", "a", "shared"))
			}
		}, shared: "m/a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var directory kube.Directory
			row.do(&directory)
			for id, want := range map[string]string{"shared": row.shared, "home.x": row.home} {
				if got := holder(&directory, id); got != want {
					t.Errorf("%s is had by %q, want %q", id, got, want)
				}
			}
		})
	}
}

// holder gives the UID of who has a client ID.
func holder(directory *kube.Directory, id string) string {
	subject, found := directory.Subject(id)
	if !found {
		return ""
	}
	return string(subject.Client.UID)
}

// TestClaimsByChance compares the directory, after many changes, with the rule itself applied to all that is there.
func TestClaimsByChance(t *testing.T) {
	ids := []string{"", "p.a", "q.a", "shared", "other"}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		var directory kube.Directory
		present := map[types.UID]*v1alpha1.ClientCredential{}
		for range 60 {
			namespace, name := string(rune('p'+random.IntN(3))), string(rune('a'+random.IntN(3)))
			object := claim(namespace, name, ids[random.IntN(len(ids))])
			if random.IntN(4) == 0 {
				directory.Forget(object)
				delete(present, object.UID)
			} else {
				directory.Store(object)
				present[object.UID] = object
			}
			for _, id := range append(ids[1:], "p.b", "r.c") {
				if got, want := holder(&directory, id), outranking(present, id); got != want {
					t.Fatalf("seed %d: %s is had by %q, want %q", seed, id, got, want)
				}
			}
		}
	}
}

func outranking(present map[types.UID]*v1alpha1.ClientCredential, id string) string {
	var first *credential.Client
	for _, object := range present {
		if client := credential.ReadClient(object); client.ID == id && (first == nil || client.Outranks(first)) {
			first = client
		}
	}
	if first == nil {
		return ""
	}
	return string(first.UID)
}

// TestLookUpsBesideChanges: while claims come and go, an ID that somebody always claims is always found, and a token that is
// revoked stays so. The race detector watches.
func TestLookUpsBesideChanges(t *testing.T) {
	var directory kube.Directory
	directory.Store(claim("home", "x", "home.x"))
	directory.Store(kube.NewRevokedToken("claviger-system", token.Claims{ID: "revoked"}))
	var changes, lookUps sync.WaitGroup
	for writer := range 4 {
		changes.Go(func() {
			name := string(rune('a' + writer))
			for i := range 500 {
				directory.Store(claim("n", name, "home.x"))
				directory.Store(claim("n", name, "shared"))
				directory.Forget(claim("n", name, "shared"))
				other := kube.NewRevokedToken("claviger-system", token.Claims{ID: name + strconv.Itoa(i)})
				directory.Store(other)
				directory.Forget(other)
			}
		})
	}
	done := make(chan struct{})
	for range 4 {
		lookUps.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if got := holder(&directory, "home.x"); got != "home/x" {
					t.Errorf("home.x is had by %q", got)
					return
				}
				if !directory.Revoked("revoked") {
					t.Error("the revoked token is not revoked")
					return
				}
			}
		})
	}
	changes.Wait()
	close(done)
	lookUps.Wait()
	if got := holder(&directory, "shared"); got != "" {
		t.Errorf("shared is had by %q", got)
	}
}
