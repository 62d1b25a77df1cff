// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
)

func names(event Event) []string {
	var found []string
	for i, field := range event.fields() {
		if i%2 == 0 {
			found = append(found, field.(string))
		}
	}
	return found
}

// TestEveryEventIsDocumented, with its fields in their order, and no event that there is not.
func TestEveryEventIsDocumented(t *testing.T) {
	content, err := os.ReadFile("../../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(string(content), "## Audit log")
	quoted := regexp.MustCompile("`([^`]+)`")
	documented := map[string][]string{}
	explained := map[string]bool{}
	for _, line := range strings.Split(page, "\n") {
		cells := strings.Split(line, "|")
		switch {
		case len(cells) == 5 && quoted.MatchString(cells[1]):
			message, fields := quoted.FindStringSubmatch(cells[1])[1], []string{}
			for _, field := range quoted.FindAllStringSubmatch(cells[3], -1) {
				fields = append(fields, field[1])
			}
			if message != "msg" {
				documented[message] = fields
			}
		case len(cells) == 4 && quoted.MatchString(cells[1]):
			explained[quoted.FindStringSubmatch(cells[1])[1]] = true
		}
	}
	for _, event := range Events() {
		fields, found := documented[event.message()]
		if !found || !slices.Equal(fields, names(event)) {
			t.Errorf("%q has the fields %q, and is documented with %q", event.message(), names(event), fields)
		}
		for _, field := range append(names(event), "source", "traceID") {
			if !explained[field] {
				t.Errorf("no line says what %s is", field)
			}
		}
		delete(documented, event.message())
	}
	for message := range documented {
		t.Errorf("there is no event %q", message)
	}
}

func TestLog(t *testing.T) {
	for _, row := range []struct {
		name   string
		origin Origin
		event  Event
		want   string
	}{
		{
			"all that there is to say",
			Origin{Source: netip.MustParseAddr("192.0.2.1"), TraceID: "4bf92f3577b34da6a3ce929d0e0e4736"},
			TokenIssued{"acme.orders", "id", "acme", "Webhook", []string{"https://a", "https://b"}, time.Hour, "client_secret_basic", ""},
			`"level"=0 "msg"="token issued" "clientID"="acme.orders" "tokenID"="id" "account"="acme" "scope"="Webhook" "audience"="https://a https://b" "lifetime"="1h0m0s"` +
				` "method"="client_secret_basic" "serviceAccount"="" "source"="192.0.2.1" "traceID"="4bf92f3577b34da6a3ce929d0e0e4736"`,
		},
		{
			"nothing is known of the origin",
			Origin{},
			AccessDenied{Error: "no_token"},
			`"level"=0 "msg"="access denied" "error"="no_token" "clientID"="" "needs"="" "resource"="" "reason"="" "source"=""`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			var line string
			log := NewLog(funcr.New(func(_, args string) { line = args }, funcr.Options{}))
			log.Write(row.origin, row.event)
			if line != row.want {
				t.Errorf("got  %s\nwant %s", line, row.want)
			}
		})
	}
}
