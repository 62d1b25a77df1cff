// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"strings"
	"testing"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/fault"
)

func TestCheckProperties(t *testing.T) {
	known := []v1alpha1.ConnectorProperty{
		{Name: "Region", Values: []string{"eu", "us"}}, {Name: "Subdomain", Pattern: "[a-z]+"}, {Name: "Broken", Pattern: "("}, {Name: "Any"},
	}
	for _, row := range []struct {
		name   string
		given  map[string]string
		reason string
	}{
		{name: "none", given: nil},
		{name: "the account's own client", given: map[string]string{"ClientId": "1", "ClientSecret": "2"}},
		{name: "all in order", given: map[string]string{"Region": "eu", "Subdomain": "acme", "Any": "thing"}},
		{name: "one that there is not", given: map[string]string{"Regoin": "eu"}, reason: v1alpha1.ReasonInvalidProperty},
		{name: "a value that there is not", given: map[string]string{"Region": "mars"}, reason: v1alpha1.ReasonInvalidProperty},
		{name: "a value that matches in part", given: map[string]string{"Subdomain": "acme.evil"}, reason: v1alpha1.ReasonInvalidProperty},
		{name: "a value that matches on one line", given: map[string]string{"Subdomain": "acme\nevil"}, reason: v1alpha1.ReasonInvalidProperty},
		{name: "a name of 1024 bytes", given: map[string]string{"ClientId": strings.Repeat("a", 1024)}},
		{name: "a name in any script", given: map[string]string{"Any": "Zoë 株式会社"}},
		{name: "a private key of many lines", given: map[string]string{"ClientId": "1", "ClientSecret": strings.Repeat("line\r\n", 1000)}},
		{name: "a value of more than 1024 bytes", given: map[string]string{"Any": strings.Repeat("a", 1025)}, reason: v1alpha1.ReasonInvalidProperty},
		{name: "a secret of more than 8 KiB", given: map[string]string{"ClientSecret": strings.Repeat("a", 8<<10+1)}, reason: v1alpha1.ReasonInvalidProperty},
		{name: "a client ID that is no UTF-8", given: map[string]string{"ClientId": "\xff"}, reason: v1alpha1.ReasonInvalidProperty},
		{name: "a secret that is no UTF-8", given: map[string]string{"ClientSecret": "\xc3("}, reason: v1alpha1.ReasonInvalidProperty},
		{name: "a client ID of two lines", given: map[string]string{"ClientId": "a\nb"}, reason: v1alpha1.ReasonInvalidProperty},
		{name: "a secret with a NUL", given: map[string]string{"ClientSecret": "a\x00b"}, reason: v1alpha1.ReasonInvalidProperty},
		{name: "a value with a C1 control", given: map[string]string{"Any": "a\u0085b"}, reason: v1alpha1.ReasonInvalidProperty},
		{name: "a pattern that is none", given: map[string]string{"Broken": "x"}, reason: v1alpha1.ReasonInvalidConnector},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := connector.CheckProperties(known, row.given)
			if found, is := fault.As(err); row.reason != "" && (!is || found.Reason != row.reason || found.Kind != fault.Terminal) || row.reason == "" && err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestTheSameOfManyMistakesIsTold each time, so that a condition does not change with nothing.
func TestTheSameOfManyMistakesIsTold(t *testing.T) {
	given := map[string]string{"A": "1", "B": "1", "C": "1", "D": "1", "E": "1"}
	for range 50 {
		if err := connector.CheckProperties(nil, given); err == nil || !strings.Contains(err.Error(), "property A") {
			t.Fatalf("got %v", err)
		}
	}
}
