// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/oauth"
)

// TestARecoveryThatIsNotSent leaves the refresh token as suspect as it was: an attempt before may have presented it, and with a provider
// that forgives that for a while only, the while goes on from there.
func TestARecoveryThatIsNotSent(t *testing.T) {
	moment := connector.Moment{
		Record: connector.Record{
			Generation: 1, AccessToken: oauth.NewSecret("a"), RefreshToken: oauth.NewSecret("r"), IssuedAt: epoch, ExpiresAt: epoch.Add(time.Hour),
			Intent: &connector.Intent{Attempt: "orphan", Holder: "replica-0", StartedAt: epoch.Add(40 * time.Minute)},
		},
		Behaviour: connector.Behaviour{Rotation: v1alpha1.RotationGrace, ReuseGrace: 30 * time.Second},
		Self:      "replica-0", Attempt: "second", Now: epoch.Add(40*time.Minute + 20*time.Second),
	}
	action := connector.Next(moment)
	taken := action.Record.Intent
	if action.Deed != connector.Write || taken == nil || taken.Attempt != "second" || taken.Recoveries != 1 || !taken.StartedAt.Equal(epoch.Add(40*time.Minute)) {
		t.Fatalf("got %+v", action)
	}
	moment.Record, moment.Memory = action.Record, action.Written
	if action = connector.Next(moment); action.Deed != connector.Send {
		t.Fatalf("got %+v", action)
	}

	for name, change := range map[string]func(*connector.Moment){
		"it did not reach the provider": func(m *connector.Moment) {
			m.Memory.Answer, m.Memory.Answered = &connector.Answer{Outcome: connector.NotSent}, m.Now
		},
		"the provider had no time": func(m *connector.Moment) {
			m.Memory.Answer, m.Memory.Answered = &connector.Answer{Outcome: connector.Busy}, m.Now
		},
		"it was held up before it was sent": func(m *connector.Moment) { m.Now = m.Now.Add(connector.SendWithin + time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			moment := moment
			change(&moment)
			action := connector.Next(moment)
			waits := action.Deed == connector.Wait && action.OutcomeUnknown
			again := action.Deed == connector.Write && action.Record.Intent != nil && action.Record.Intent.Recoveries == 2
			if !waits && !again {
				t.Errorf("it is forgotten that the token may have been used: %+v", action)
			}
		})
	}

	// After the grace, what may have been used is left alone until there is nothing left to lose.
	moment.Memory = connector.Memory{}
	moment.Now = epoch.Add(41 * time.Minute)
	if action = connector.Next(moment); action.Deed != connector.Wait || !action.OutcomeUnknown || !action.Until.Equal(epoch.Add(time.Hour-30*time.Second)) {
		t.Errorf("got %+v", action)
	}
}
