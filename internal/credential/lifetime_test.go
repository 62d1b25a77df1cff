// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/test/builder"
)

func TestTokenLifetime(t *testing.T) {
	account := func(options ...builder.AccountOption) *v1alpha1.Account { return builder.Account("acme", options...) }
	byDefault, atMost := builder.DefaultTokenMinutes, builder.MaxTokenMinutes
	const year = 365 * 24 * time.Hour
	for _, row := range []struct {
		name    string
		minutes int32
		account *v1alpha1.Account
		most    time.Duration
		want    time.Duration
	}{
		{name: "left out means 14 days", want: 14 * 24 * time.Hour},
		{name: "below zero means 14 days", minutes: -1, want: 14 * 24 * time.Hour},
		{name: "the least is a minute", minutes: 1, want: time.Minute},
		{name: "the most is a year", minutes: 525600, want: year},
		{name: "left out means 14 days with an account that says nothing", account: account(), want: 14 * 24 * time.Hour},
		{name: "the account's default is for credentials that name none", account: account(byDefault(60)), want: time.Hour},
		{name: "the credential's own comes before the account's default", minutes: 90, account: account(byDefault(60)), want: 90 * time.Minute},
		{name: "also where it is shorter", minutes: 30, account: account(byDefault(60)), want: 30 * time.Minute},
		{name: "the account's maximum bounds the credential's own", minutes: 90, account: account(atMost(60)), want: time.Hour},
		{name: "and the 14 days", account: account(atMost(60)), want: time.Hour},
		{name: "and the account's own default", account: account(byDefault(90), atMost(60)), want: time.Hour},
		{name: "it lengthens nothing", minutes: 30, account: account(atMost(60)), want: 30 * time.Minute},
		{name: "the operator's maximum bounds the credential's own", minutes: 90, most: time.Hour, want: time.Hour},
		{name: "and the 14 days", most: time.Hour, want: time.Hour},
		{name: "and the account's default", account: account(byDefault(90)), most: time.Hour, want: time.Hour},
		{name: "it lengthens nothing either", minutes: 30, most: time.Hour, want: 30 * time.Minute},
		{name: "of two maxima the shorter counts, the account's", minutes: 90, account: account(atMost(45)), most: time.Hour, want: 45 * time.Minute},
		{name: "or the operator's", minutes: 90, account: account(atMost(75)), most: time.Hour, want: time.Hour},
		{name: "what is below both is left alone", minutes: 30, account: account(atMost(45)), most: time.Hour, want: 30 * time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			subject := credential.Subject{Client: credential.ReadClient(builder.ClientCredential("a", "b", builder.TokenMinutes(row.minutes)))}
			if row.account != nil {
				account, err := credential.ReadAccount(row.account)
				if err != nil {
					t.Fatal(err)
				}
				subject.Account = account
			}
			if got := (credential.Rules{MaxTokenLifetime: row.most}).TokenLifetime(subject); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}
