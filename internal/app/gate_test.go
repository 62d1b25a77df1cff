// SPDX-License-Identifier: Apache-2.0

package app

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/introspection"
)

func TestGateOptions(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"client_id": "acme.gate", "client_secret": "s3cret", "token": "a.b.c", "empty": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	asking := func(o *GateOptions) {
		o.Source, o.Introspection, o.IntrospectionCache = SourceIntrospection, introspection.Credentials{Dir: dir}, time.Second
	}
	for _, row := range []struct {
		name   string
		change func(*GateOptions)
		wrong  []string
	}{
		{name: "the least that is needed", change: func(*GateOptions) {}},
		{name: "the least that asking needs", change: asking},
		{name: "a ServiceAccount asks", change: func(o *GateOptions) {
			asking(o)
			o.Introspection = introspection.Credentials{TokenFile: filepath.Join(dir, "token")}
		}},
		{name: "nobody asks", change: func(o *GateOptions) { o.Source = SourceIntrospection }, wrong: []string{"--introspection-credentials and --introspection-token-file: give one"}},
		{name: "two ask", change: func(o *GateOptions) {
			asking(o)
			o.Introspection.TokenFile = filepath.Join(dir, "token")
		}, wrong: []string{"give one of them"}},
		{name: "credentials that are not there", change: func(o *GateOptions) {
			asking(o)
			o.Introspection.Dir = filepath.Join(dir, "none")
		}, wrong: []string{"reading our own credentials"}},
		{name: "a token that is empty", change: func(o *GateOptions) {
			asking(o)
			o.Introspection = introspection.Credentials{TokenFile: filepath.Join(dir, "empty")}
		}, wrong: []string{"is empty"}},
		{name: "an answer that holds for too long", change: func(o *GateOptions) {
			asking(o)
			o.IntrospectionCache = time.Hour
		}, wrong: []string{"--introspection-cache: 1h0m0s is not from 0 to 1m0s"}},
		{name: "asking in clear", change: func(o *GateOptions) {
			asking(o)
			o.IntrospectionURL = "http://auth.example.com/oauth/introspect"
		}, wrong: []string{"--introspection-url"}},
		{name: "another source", change: func(o *GateOptions) { o.Source = "guess" }, wrong: []string{"--source"}},
		{name: "a resource in place of all that", change: func(o *GateOptions) { o.Scope, o.Resource = "", "acme/tools" }},
		{name: "a resource and more", change: func(o *GateOptions) { o.Resource = "acme/tools" }, wrong: []string{"give it alone"}},
		{name: "a resource that is no name", change: func(o *GateOptions) { o.Scope, o.Resource = "", "tools" }, wrong: []string{"<namespace>/<name>"}},
		{name: "a resource for one that reads no objects", change: func(o *GateOptions) {
			asking(o)
			o.Scope, o.Resource = "", "acme/tools"
		}, wrong: []string{"--resource is for --source=api"}},
		{name: "no scope", change: func(o *GateOptions) { o.Scope = " " }, wrong: []string{"--scope is required"}},
		{name: "a scope that cannot be", change: func(o *GateOptions) { o.Scope = `"` }, wrong: []string{"--scope"}},
		{name: "no upstream", change: func(o *GateOptions) { o.Upstream = "" }, wrong: []string{"--upstream is required"}},
		{name: "an upstream with a path", change: func(o *GateOptions) { o.Upstream = "http://x/path" }, wrong: []string{"--upstream"}},
		{name: "an upstream that may take no time", change: func(o *GateOptions) { o.UpstreamTimeout = 0 }, wrong: []string{"--upstream-timeout"}},
		{name: "certificates that are none", change: func(o *GateOptions) {
			o.UpstreamCAFile, o.IssuerCAFile = filepath.Join(dir, "token"), filepath.Join(dir, "none")
		}, wrong: []string{"--upstream-ca-file", "--issuer-ca-file"}},
		{name: "a public path that is none", change: func(o *GateOptions) { o.PublicPaths = []string{"/good", "/static/*"} }, wrong: []string{"--public-paths"}},
		{name: "proxies that are none", change: func(o *GateOptions) { o.TrustedProxies = []string{"x"} }, wrong: []string{"--trusted-proxies"}},
		{name: "keys in clear", change: func(o *GateOptions) { o.JWKSURL = "http://auth.example.com/oauth/jwks" }, wrong: []string{"--jwks-url"}},
		{name: "keys in clear, where that is allowed", change: func(o *GateOptions) { o.JWKSURL, o.AllowPlainHTTP = "http://auth.example.com/oauth/jwks", true }},
		{name: "a resource that is none", change: func(o *GateOptions) { o.ResourceURL = "mcp" }, wrong: []string{"--resource-url"}},
		{name: "listening in clear", change: func(o *GateOptions) { o.ListenAddress = ":8088" }, wrong: []string{"--listen is not on loopback"}},
		{name: "half a certificate", change: func(o *GateOptions) { o.TLSCertFile = "x" }, wrong: []string{"give both, or neither"}},
		{name: "an account header that no request can have", change: func(o *GateOptions) { o.AccountHeader = "host" }, wrong: []string{"--account-header"}},
		{name: "negative times", change: func(o *GateOptions) { o.Patience = -1 }, wrong: []string{"--patience"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			options := GateOptions{
				Common:        Common{Issuer: "https://auth.example.com", LogLevel: "info", LogFormat: "json"},
				ListenAddress: DefaultGateAddress, AccountHeader: DefaultAccountHeader, Scope: "Webhook",
				Upstream: "http://127.0.0.1:9000", UpstreamTimeout: DefaultUpstreamTimeout, Patience: DefaultPatience,
			}
			row.change(&options)
			err := options.Complete()
			if (err != nil) != (len(row.wrong) > 0) {
				t.Fatalf("got %v", err)
			}
			for _, part := range row.wrong {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not mention %q", err, part)
				}
			}
			if err == nil && (options.JWKSURL == "" || options.IntrospectionURL == "" || options.Source == "") {
				t.Errorf("got %+v", options)
			}
		})
	}
}

// TestFlagsOfAGateThatMeanNothing: a flag that would be ignored is refused.
func TestFlagsOfAGateThatMeanNothing(t *testing.T) {
	for _, row := range []struct {
		args  []string
		wrong string
	}{
		{[]string{"--account="}, "--account is given and empty"},
		{[]string{"--introspection-cache=1s"}, "--introspection-cache is for --source=introspection"},
		{[]string{"--source=introspection", "--namespace=x"}, "--namespace is for --source=api"},
		{[]string{"--max-token-expiry-minutes=1"}, "unknown flag"},
		{[]string{"--tls-secret=x"}, "unknown flag"},
	} {
		command := NewCommand()
		command.SetArgs(append([]string{"gate", "--issuer=https://auth.example.com", "--scope=MCP", "--upstream=http://127.0.0.1:9000"}, row.args...))
		command.SetOut(io.Discard)
		command.SetErr(io.Discard)
		if err := command.Execute(); err == nil || !strings.Contains(err.Error(), row.wrong) {
			t.Errorf("%q: got %v", row.args, err)
		}
	}
}
