// SPDX-License-Identifier: Apache-2.0

package app

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/server/stop"
)

func TestOptions(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*TokenServiceOptions)
		// wrong are parts of the message, one for each mistake; none: the options are good.
		wrong []string
	}{
		{name: "the least that is needed", change: func(*TokenServiceOptions) {}},
		{name: "no issuer", change: func(o *TokenServiceOptions) { o.Issuer = "" }, wrong: []string{"--issuer is required"}},
		{name: "an issuer without TLS", change: func(o *TokenServiceOptions) { o.Issuer = "http://auth.example.com" }, wrong: []string{"must be https"}},
		{
			name: "listening without TLS beyond loopback", change: func(o *TokenServiceOptions) { o.ListenAddress = ":8089" },
			wrong: []string{`--listen: ":8089" is not on loopback`},
		},
		{name: "both, where plain HTTP is allowed", change: func(o *TokenServiceOptions) {
			o.Issuer, o.ListenAddress, o.AllowPlainHTTP = "http://auth.example.com", ":8089", true
		}},
		{
			name: "namespaces that cannot be", change: func(o *TokenServiceOptions) { o.Namespace, o.ConsoleNamespaces = "A B", []string{"good", "C"} },
			wrong: []string{`"A B" is not the name of a namespace`, `"C" is not the name of a namespace`},
		},
		{name: "a log level that is none", change: func(o *TokenServiceOptions) { o.LogLevel = "loud" }, wrong: []string{"--log-level"}},
		{name: "a log level that would silence the audit log", change: func(o *TokenServiceOptions) { o.LogLevel = "error" }, wrong: []string{"--log-level"}},
		{name: "a log format that is none", change: func(o *TokenServiceOptions) { o.LogFormat = "xml" }, wrong: []string{"--log-format"}},
		{name: "no account header", change: func(o *TokenServiceOptions) { o.AccountHeader = "" }, wrong: []string{"--account-header"}},
		{name: "Authorization as account header", change: func(o *TokenServiceOptions) { o.AccountHeader = "authorization" }, wrong: []string{"--account-header"}},
		{name: "an account header that the HTTP server takes away", change: func(o *TokenServiceOptions) { o.AccountHeader = "host" }, wrong: []string{"--account-header"}},
		{name: "an account header that no request can have", change: func(o *TokenServiceOptions) { o.AccountHeader = "X-Account:" }, wrong: []string{"--account-header"}},
		{name: "an account header of our own answers", change: func(o *TokenServiceOptions) { o.AccountHeader = "x-claviger-account" }, wrong: []string{"--account-header"}},
		{name: "a gRPC port", change: func(o *TokenServiceOptions) { o.ExtAuthz.ExtAuthzAddress = "127.0.0.1:9191" }},
		{name: "a gRPC port for all, in clear", change: func(o *TokenServiceOptions) { o.ExtAuthz.ExtAuthzAddress = ":9191" }, wrong: []string{"--ext-authz-listen"}},
		{name: "a negative grace", change: func(o *TokenServiceOptions) { o.Stop.Grace = -1 }, wrong: []string{"--shutdown-grace"}},
		{name: "no cache of tokens", change: func(o *TokenServiceOptions) { o.TokenCacheSize = 0 }},
		{name: "a cache of less than no tokens", change: func(o *TokenServiceOptions) { o.TokenCacheSize = -1 }, wrong: []string{"--token-cache-size"}},
		{name: "trusted proxies", change: func(o *TokenServiceOptions) { o.Limits.TrustedProxies = []string{"10.0.0.0/8", "fd00::1"} }},
		{name: "origins", change: func(o *TokenServiceOptions) {
			o.Origins = []string{"https://app.example.com", "http://localhost:3000", "https://[::1]:8443"}
		}},
		{
			name: "origins that no browser sends",
			change: func(o *TokenServiceOptions) {
				o.Origins = []string{"*", "https://*.example.com", "https://a.example/", "https://A.example", "https://b.example:443", "null", "c.example", "https://u@d.example"}
			},
			wrong: []string{`"*"`, `"https://*.example.com"`, `"https://a.example/"`, `"https://A.example"`, `"https://b.example:443"`, `"null"`, `"c.example"`, `"https://u@d.example"`},
		},
		{name: "traces to no URL", change: func(o *TokenServiceOptions) { o.Traces.Endpoint = "collector:4317" }, wrong: []string{"--otlp-endpoint"}},
		{name: "a trusted proxy by name", change: func(o *TokenServiceOptions) { o.Limits.TrustedProxies = []string{"ingress"} }, wrong: []string{`--trusted-proxies: "ingress"`}},
		{
			name:   "several mistakes are told at once",
			change: func(o *TokenServiceOptions) { o.Issuer, o.LogLevel, o.AccountHeader = "", "loud", "" },
			wrong:  []string{"--issuer", "--log-level", "--account-header"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			options := TokenServiceOptions{
				Common:        Common{Issuer: "https://auth.example.com", LogLevel: "info", LogFormat: "json"},
				ListenAddress: "127.0.0.1:8089", AccountHeader: DefaultAccountHeader, Stop: stop.Plan{Grace: DefaultShutdownGrace},
			}
			row.change(&options)
			err := options.Complete()
			if len(row.wrong) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil {
				t.Fatal("they were accepted")
			}
			for _, part := range row.wrong {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not mention %q", err, part)
				}
			}
		})
	}
}

func TestOptionsHaveDefaults(t *testing.T) {
	options := Common{Issuer: "https://auth.example.com", LogLevel: "info", LogFormat: "text"}
	if err := options.Complete(); err != nil {
		t.Fatal(err)
	}
	want := "claviger-system"
	if own, err := os.ReadFile(namespaceFile); err == nil {
		want = strings.TrimSpace(string(own)) // the tests run in a pod
	}
	if options.Namespace != want || !slices.Equal(options.ConsoleNamespaces, []string{want}) {
		t.Errorf("got namespace %q and console namespaces %q", options.Namespace, options.ConsoleNamespaces)
	}
}

// TestEveryRoleHasHelp: --help of every command works and every flag says what it does.
func TestEveryRoleHasHelp(t *testing.T) {
	for _, role := range []string{"manager", "token-service", "gate"} {
		command := NewCommand()
		var out strings.Builder
		command.SetOut(&out)
		command.SetArgs([]string{role, "--help"})
		if err := command.Execute(); err != nil {
			t.Fatal(err)
		}
		for _, flag := range []string{"--issuer", "--namespace", "--console-namespaces", "--metrics-bind-address", "--log-level", "--kubeconfig"} {
			if !strings.Contains(out.String(), flag) {
				t.Errorf("%s --help does not mention %s", role, flag)
			}
		}
	}
}
