// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"
	"testing"
	"time"
)

func TestSigningKeyOptions(t *testing.T) {
	for _, row := range []struct {
		name           string
		interval, lead time.Duration
		minutes        int32
		algorithm      string
		// wrong is a part of the message; empty: the options are good.
		wrong string
	}{
		{name: "the defaults"},
		{name: "the shortest of all", interval: time.Hour, lead: 10 * time.Minute, minutes: 60},
		{name: "an interval of just two leads", interval: 48 * time.Hour, lead: 24 * time.Hour, minutes: 60},
		{name: "an interval that is too short", interval: 59 * time.Minute, lead: 10 * time.Minute, minutes: 60, wrong: "--signing-key-interval: 59m0s is less than 1h"},
		{name: "an interval that is negative", interval: -1, wrong: "--signing-key-interval"},
		{name: "an interval of less than two leads", interval: 47 * time.Hour, lead: 24 * time.Hour, minutes: 60, wrong: "twice --signing-key-lead"},
		{name: "a lead that JWK sets outlive", interval: 720 * time.Hour, lead: 9 * time.Minute, wrong: "--signing-key-lead: 9m0s is less than 10m"},
		{name: "a lead that is negative", lead: -1, wrong: "--signing-key-lead"},
		{name: "more keys than a JWK set should hold", interval: 24 * time.Hour, lead: time.Hour, wrong: "367 keys"},
		{name: "as short an interval with tokens that live shorter", interval: 24 * time.Hour, lead: time.Hour, minutes: 20160},
		{name: "another algorithm", algorithm: "EdDSA"},
		{name: "an algorithm that there is not", algorithm: "HS256", wrong: `--signing-algorithm: "HS256" is none of ES256, EdDSA, RS256`},
		{name: "an algorithm in other letters", algorithm: "rs256", wrong: "--signing-algorithm"},
	} {
		t.Run(row.name, func(t *testing.T) {
			options := ManagerOptions{Common: Common{Issuer: "https://auth.example.com", LogLevel: "info", LogFormat: "json"}}
			options.SigningKeyInterval, options.SigningKeyLead, options.MaxTokenExpiryMinutes = row.interval, row.lead, row.minutes
			options.SigningAlgorithm = row.algorithm
			err := options.Complete()
			if row.wrong == "" {
				if err != nil {
					t.Fatal(err)
				}
				want := row.algorithm
				if want == "" {
					want = "ES256"
				}
				if s := options.signingKeySchedule(); s.Interval <= 0 || s.Lead <= 0 || s.MaxTokenLifetime <= 0 || s.Algorithm != want {
					t.Errorf("got %+v", s)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.wrong) {
				t.Errorf("got %v, want %q", err, row.wrong)
			}
		})
	}
}
