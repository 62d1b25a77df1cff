// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"testing"
	"time"
)

func TestBudget(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       Budget
		wrong      bool
	}{
		{name: "a burst and an interval", text: "20/3s", want: Budget{20, 3 * time.Second}},
		{name: "off", text: "off", want: Budget{}},
		{name: "the most", text: "1000000/24h0m0s", want: Budget{1_000_000, 24 * time.Hour}},
		{name: "the least", text: "1/1ms", want: Budget{1, time.Millisecond}},
		{name: "no burst", text: "0/3s", wrong: true},
		{name: "a negative burst", text: "-1/3s", wrong: true},
		{name: "no interval", text: "20", wrong: true},
		{name: "an interval of nothing", text: "20/0s", wrong: true},
		{name: "an interval without unit", text: "20/3", wrong: true},
		{name: "a negative interval", text: "20/-3s", wrong: true},
		{name: "an interval that is too long", text: "20/25h", wrong: true},
		{name: "a burst that is too large", text: "1000001/1s", wrong: true},
		{name: "nothing", text: "", wrong: true},
		{name: "another word", text: "none", wrong: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			budget := Budget{Burst: 7, Every: time.Hour}
			err := budget.Set(row.text)
			if (err != nil) != row.wrong {
				t.Fatalf("got %v", err)
			}
			if !row.wrong && (budget != row.want || budget.String() != row.text) {
				t.Errorf("got %v, written %q", budget, budget)
			}
		})
	}
}
