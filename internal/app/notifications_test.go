// SPDX-License-Identifier: Apache-2.0

package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNotificationOptions(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, url, file string
		plain           bool
		wrong           string
	}{
		{name: "nobody is told"},
		{name: "a service of one's own", url: "https://hooks.internal:8443/claviger?key=s3cret", file: keys},
		{name: "one on this machine", url: "http://localhost:9000", file: keys},
		{name: "one in clear, where that is allowed", url: "http://hooks.internal", file: keys, plain: true},
		{name: "one in clear", url: "http://hooks.internal/s3cret", file: keys, wrong: "must be https"},
		{name: "a user", url: "https://s3cret@hooks.internal", file: keys, wrong: "without a user"},
		{name: "no URL", url: "hooks s3cret", file: keys, wrong: "absolute https URL"},
		{name: "no keys", url: "https://hooks.internal", wrong: "need each other"},
		{name: "keys for nobody", file: keys, wrong: "need each other"},
		{name: "a file that is not there", url: "https://hooks.internal", file: keys + ".gone", wrong: "--notification-key-file"},
	} {
		t.Run(row.name, func(t *testing.T) {
			options := NotificationOptions{NotificationURL: row.url, NotificationKeyFile: row.file}
			err := options.completeNotifications(row.plain)
			if (err == nil) != (row.wrong == "") || err != nil && (!strings.Contains(err.Error(), row.wrong) || strings.Contains(err.Error(), "s3cret")) {
				t.Errorf("got %v", err)
			}
		})
	}
}
