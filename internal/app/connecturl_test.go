// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"
	"testing"
)

func TestConnectURL(t *testing.T) {
	for _, row := range []struct {
		name, url string
		plain     bool
		want      string
		wrong     string
	}{
		{name: "the issuer, where nothing else is said", want: "https://auth.example.com/connectorauth/callback/crm"},
		{name: "one of its own", url: "https://connect.example.com/x", want: "https://connect.example.com/x/connectorauth/callback/crm"},
		{name: "one on this machine", url: "http://127.0.0.1:8088", want: "http://127.0.0.1:8088/connectorauth/callback/crm"},
		{name: "one in clear, where that is allowed", url: "http://connect.example.com", plain: true, want: "http://connect.example.com/connectorauth/callback/crm"},
		{name: "one in clear", url: "http://connect.example.com", wrong: "--connect-url must be https"},
		{name: "a query", url: "https://connect.example.com?x=1", wrong: "--connect-url must have no user, query or fragment"},
		{name: "a slash at the end", url: "https://connect.example.com/", wrong: "--connect-url must not end in a slash"},
		{name: "no URL", url: "connect.example.com", wrong: "--connect-url must be an absolute https URL"},
	} {
		t.Run(row.name, func(t *testing.T) {
			common := Common{Issuer: "https://auth.example.com", AllowPlainHTTP: row.plain, LogLevel: "info", LogFormat: "json"}
			if err := common.Complete(); err != nil {
				t.Fatal(err)
			}
			options := ConnectURLOptions{ConnectURL: row.url}
			err := options.completeConnectURL(common)
			if row.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), row.wrong) {
					t.Errorf("got %v", err)
				}
				return
			}
			if got := options.redirectURI("crm"); err != nil || got != row.want {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}
