// SPDX-License-Identifier: Apache-2.0

package kube_test

import (
	"errors"
	"testing"

	"github.com/claviger/claviger/internal/kube"
)

func TestTrust(t *testing.T) {
	trust := kube.NewTrust()
	expect := func(what, bundle string, err error, told bool) {
		t.Helper()
		got, gotErr := trust.Bundle()
		if got != bundle || !errors.Is(gotErr, err) {
			t.Errorf("%s: got %q, %v", what, got, gotErr)
		}
		select {
		case <-trust.Changes():
			if !told {
				t.Errorf("%s: somebody was told", what)
			}
		default:
			if told {
				t.Errorf("%s: nobody was told", what)
			}
		}
	}
	damaged := errors.New("damaged")
	expect("at the start", "", kube.ErrStale, false)
	trust.Fail(damaged)
	expect("something is in the way", "", damaged, true)
	trust.Fail(damaged)
	expect("it still is", "", damaged, false)
	trust.Set("")
	expect("there is none to know", "", nil, true)
	trust.Set("one")
	expect("there is one", "one", nil, true)
	trust.Set("one")
	expect("it is the same", "one", nil, false)
	trust.Fail(damaged)
	expect("what is known stays", "one", nil, false)
	trust.Set("two")
	trust.Set("three")
	expect("two changes", "three", nil, true)
	expect("are told once", "three", nil, false)
}
