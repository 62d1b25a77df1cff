// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// nothing stands where there is no value, as in kubectl's tables.
const nothing = "<none>"

func orNothing(text string) string {
	if text == "" {
		return nothing
	}
	return text
}

// plain makes a text of somebody else safe for a terminal: what does not print, such as escape sequences and marks that
// turn the direction of writing, is shown as Go would write it.
func plain(text string) string {
	var safe strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			safe.WriteRune(r)
			continue
		}
		safe.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return safe.String()
}

// age says how long ago an object was created.
func age(since metav1.Time, now time.Time) string {
	if since.IsZero() {
		return "<unknown>"
	}
	return duration.HumanDuration(now.Sub(since.Time))
}

// distance says how far away a time is: "in 21h", "3d ago" or "now".
func distance(at, now time.Time) string {
	switch away := at.Sub(now).Round(time.Second); {
	case away > 0:
		return "in " + duration.HumanDuration(away)
	case away < 0:
		return duration.HumanDuration(-away) + " ago"
	default:
		return "now"
	}
}

// moment gives a time and how far away it is.
func moment(at, now time.Time) string {
	return at.UTC().Format(time.RFC3339) + " (" + distance(at, now) + ")"
}

// period writes a duration exactly, and without the units that are zero: 24h, 1h30m.
func period(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// lifetime writes minutes, and beside them what people rather think in.
func lifetime(minutes int32) string {
	const fewMinutes = 120
	if minutes < fewMinutes {
		return fmt.Sprintf("%d minutes", minutes)
	}
	return fmt.Sprintf("%d minutes (%s)", minutes, duration.HumanDuration(time.Duration(minutes)*time.Minute))
}
