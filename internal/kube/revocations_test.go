// SPDX-License-Identifier: Apache-2.0

package kube_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/token"
)

// TestRevokedTokensByObject: a token is revoked as long as any object says so.
func TestRevokedTokensByObject(t *testing.T) {
	first := kube.NewRevokedToken("claviger-system", token.Claims{ID: "id"})
	second, moved := first.DeepCopy(), first.DeepCopy()
	second.Name, moved.Spec.TokenID = "by-hand", "another"
	for _, row := range []struct {
		name    string
		do      func(*kube.Directory)
		revoked bool
	}{
		{"nothing was revoked", func(*kube.Directory) {}, false},
		{"it was revoked", func(d *kube.Directory) { d.Store(first) }, true},
		{"it was told of twice", func(d *kube.Directory) { d.Store(first); d.Store(first); d.Forget(first) }, false},
		{"it was revoked twice", func(d *kube.Directory) { d.Store(first); d.Store(second) }, true},
		{"one of two objects goes", func(d *kube.Directory) { d.Store(first); d.Store(second); d.Forget(first) }, true},
		{"the other one goes", func(d *kube.Directory) { d.Store(first); d.Store(second); d.Forget(second) }, true},
		{"both go", func(d *kube.Directory) { d.Store(first); d.Store(second); d.Forget(first); d.Forget(second) }, false},
		{"the object was made anew for another token", func(d *kube.Directory) { d.Store(first); d.Store(moved) }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var directory kube.Directory
			row.do(&directory)
			if got := directory.Revoked("id"); got != row.revoked {
				t.Errorf("got %t", got)
			}
			if directory.Revoked("") {
				t.Error("no token at all is revoked")
			}
		})
	}
}

// TestRevokedTokenName: one object for one token, in a form that Kubernetes takes, whatever the token ID.
func TestRevokedTokenName(t *testing.T) {
	names := map[string]string{}
	for _, id := range []string{"", "a", "A", "b64-_id", "../x", "ü\x00", strings.Repeat("x", 1000)} {
		object := kube.NewRevokedToken("claviger-system", token.Claims{ID: id})
		if wrong := validation.IsDNS1123Label(object.Name); len(wrong) > 0 {
			t.Errorf("%q makes the name %q: %s", id, object.Name, wrong)
		}
		if other, taken := names[object.Name]; taken {
			t.Errorf("%q and %q share the name %q", id, other, object.Name)
		}
		names[object.Name] = id
		if again := kube.NewRevokedToken("claviger-system", token.Claims{ID: id}); again.Name != object.Name {
			t.Errorf("%q makes %q and %q", id, object.Name, again.Name)
		}
	}
}
