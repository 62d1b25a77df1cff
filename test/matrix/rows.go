// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
)

// Row is one line of the table: a token, a place, and the verdict, which is a status and, in the challenge, an error.
type Row struct {
	Name   string
	Token  func(*World) string
	At     Place
	Status int
	Code   string
}

// Hold adds a spec for each row.
func Hold(rows []Row, world *World, ask Ask) {
	for _, row := range rows {
		It(row.Name, func() { ExpectVerdict(ask(row.Token(world), row.At), row.Status, row.Code) })
	}
}

// Tokens are the rows of tokens that nothing has killed since they were taken. What kills good tokens is in Deaths.
func Tokens() []Row {
	webhook, mcp, others, console, restricted := (*World).WebhookToken, (*World).MCPToken, (*World).OthersToken, (*World).ConsoleToken, (*World).RestrictedToken
	return []Row{
		{"Webhook token at its account's webhook", webhook, AcmeWebhook, 200, ""},
		{"Webhook token at its account's MCP server", webhook, AcmeMCP, 403, "insufficient_scope"},
		{"Webhook token at the API", webhook, API, 401, "invalid_token"},
		{"Webhook token at the API, naming its account", webhook, API.For("acme"), 401, "invalid_token"},

		{"MCP token at its account's webhook", mcp, AcmeWebhook, 403, "insufficient_scope"},
		{"MCP token at its account's MCP server", mcp, AcmeMCP, 200, ""},
		{"MCP token at the API", mcp, API, 401, "invalid_token"},
		{"MCP token at the API, naming its account", mcp, API.For("acme"), 401, "invalid_token"},

		{"another account's token at a webhook", webhook, OtherWebhook, 401, "invalid_token"},
		{"another account's token at an MCP server", mcp, OtherMCP, 401, "invalid_token"},
		{"another account's token, the other way round", others, AcmeWebhook, 401, "invalid_token"},
		{"another account's token of the wrong scope too", mcp, OtherWebhook, 401, "invalid_token"},
		{"a call to a shared webhook that names the token's account", webhook, SharedWebhook.For("acme"), 200, ""},
		{"a call to a shared webhook that names another account", webhook, SharedWebhook.For("other"), 401, "invalid_token"},
		{"a call to a shared MCP server that names the token's account", mcp, SharedMCP.For("acme"), 200, ""},
		{"a call to a shared MCP server that names another account", mcp, SharedMCP.For("other"), 401, "invalid_token"},
		{"a call whose header agrees with the guard", webhook, AcmeWebhook.For("acme"), 200, ""},
		{"a call whose header contradicts the guard", webhook, AcmeWebhook.For("other"), 401, "invalid_token"},

		{"console token at a webhook", console, AcmeWebhook, 401, "invalid_token"},
		{"console token at an MCP server", console, AcmeMCP, 401, "invalid_token"},
		{"console token at the API", console, API, 200, ""},
		{"console token at the API for any account", console, API.For("other"), 200, ""},

		{"restricted console token at a webhook", restricted, AcmeWebhook, 401, "invalid_token"},
		{"restricted console token at an MCP server", restricted, AcmeMCP, 401, "invalid_token"},
		{"restricted console token at the API for its account", restricted, API.For("acme"), 200, ""},
		{"restricted console token at the API for another account", restricted, API.For("other"), 403, "insufficient_scope"},
		{"restricted console token at the API, where no account is named", restricted, API, 200, ""},
	}
}

// Resources are the rows of a place that is registered as a ProtectedResource.
func Resources() []Row {
	const invalid, insufficient = "invalid_token", "insufficient_scope"
	tools := func(w *World) string { return w.TokenFor(w.MCP, ToolsURL) }
	return []Row{
		{"token for a resource at the resource", tools, AcmeTools, 200, ""},
		{"token for a resource at the resource, naming its account", tools, AcmeTools.For("acme"), 200, ""},
		{"token for a resource at the resource, naming another account", tools, AcmeTools.For("other"), 401, invalid},
		{"token for a resource at another place of its account", tools, AcmeMCP, 401, invalid},
		{"token for another resource at the resource", func(w *World) string { return w.TokenFor(w.MCP, NotesURL) }, AcmeTools, 401, invalid},
		{"token for no resource in particular at the resource", (*World).MCPToken, AcmeTools, 200, ""},
		{"token of the wrong scope at the resource", (*World).WebhookToken, AcmeTools, 403, insufficient},
		{"another account's token at the resource", (*World).OthersToken, AcmeTools, 401, invalid},
		{"console token at the resource", (*World).ConsoleToken, AcmeTools, 401, invalid},
		{"no token at the resource", func(*World) string { return "" }, AcmeTools, 401, ""},
	}
}

// HoldResources adds a spec for each row of a resource. A refusal there says where its metadata are (RFC 9728 section 5.1).
func HoldResources(world *World, ask Ask) {
	for _, row := range Resources() {
		It(row.Name, func() {
			answer := ask(row.Token(world), row.At)
			ExpectVerdict(answer, row.Status, row.Code)
			if row.Status != 200 && row.At.Guard == AcmeTools.Guard {
				Expect(answer.Header.Get("WWW-Authenticate")).To(ContainSubstring(`resource_metadata="` + harness.Issuer + "/.well-known/oauth-protected-resource/acme/tools"))
			}
		})
	}
}

// Forgeries are the rows of tokens that are none of ours, or not for here, or no tokens.
func Forgeries() []Row {
	const invalid = "invalid_token"
	webhook, mcp, console := (*World).WebhookToken, (*World).MCPToken, (*World).ConsoleToken
	text := func(text string) func(*World) string { return func(*World) string { return text } }
	audience := func(genuine func(*World) string) func(*World) string {
		return func(w *World) string { return w.ForAnotherAudience(genuine(w)) }
	}
	tampered := func(genuine func(*World) string) func(*World) string {
		return func(w *World) string { return Tampered(genuine(w)) }
	}
	return []Row{
		{"expired token at a webhook", func(w *World) string { return w.Behind.TakeToken(w.Webhook) }, AcmeWebhook, 401, invalid},
		{"expired token at an MCP server", func(w *World) string { return w.Behind.TakeToken(w.MCP) }, AcmeMCP, 401, invalid},
		{"expired token at the API", func(w *World) string { return w.Behind.TakeToken(w.Console) }, API, 401, invalid},
		{"expired token at the API, naming an account", func(w *World) string { return w.Behind.TakeToken(w.Console) }, API.For("acme"), 401, invalid},
		{"another issuer's token at a webhook", func(w *World) string { return w.Foreign.TakeToken(w.Webhook) }, AcmeWebhook, 401, invalid},
		{"another issuer's token at an MCP server", func(w *World) string { return w.Foreign.TakeToken(w.MCP) }, AcmeMCP, 401, invalid},
		{"another issuer's token at the API", func(w *World) string { return w.Foreign.TakeToken(w.Console) }, API, 401, invalid},
		{"token for another audience at a webhook", audience(webhook), AcmeWebhook, 401, invalid},
		{"token for another audience at an MCP server", audience(mcp), AcmeMCP, 401, invalid},
		{"token for another audience at the API", audience(console), API, 401, invalid},
		{"tampered token at a webhook", tampered(webhook), AcmeWebhook, 401, invalid},
		{"tampered token at an MCP server", tampered(mcp), AcmeMCP, 401, invalid},
		{"tampered token at the API", tampered(console), API, 401, invalid},
		{"nonsense at a webhook", text("nonsense"), AcmeWebhook, 401, invalid},

		{"no token at a webhook", text(""), AcmeWebhook, 401, ""},
		{"no token at an MCP server", text(""), AcmeMCP, 401, ""},
		{"no token at the API", text(""), API, 401, ""},
	}
}

// Guards are rows about guards that a gateway's configuration may get wrong, and about several scopes.
func Guards() []Row {
	const insufficient = "insufficient_scope"
	webhook, both, console, restricted := (*World).WebhookToken, (*World).BothToken, (*World).ConsoleToken, (*World).RestrictedToken
	guard := func(guard string) Place { return Place{Guard: guard} }
	return []Row{
		{"all of several scopes", both, guard("scope=Webhook+orders.read&account=acme"), 200, ""},
		{"one of several scopes", webhook, guard("scope=Webhook+orders.read&account=acme"), 403, insufficient},
		{"restricted console token at the API, guarded for another account", restricted, guard("scope=API&account=other"), 403, insufficient},
		{"a guard that asks for both levels admits nobody", console, guard("scope=API+Webhook"), 403, insufficient},
		{"a guard that names no scope admits nobody", webhook, guard("account=acme"), 403, insufficient},
		{"a guard that names nothing admits nobody", webhook, guard(""), 403, insufficient},
		{"a guard whose account is empty admits nobody", webhook, guard("scope=Webhook&account="), 403, insufficient},
		{"a guard with a slip of the pen admits nobody, and not every account", webhook, guard("scope=Webhook&acount=acme"), 403, insufficient},
		{"a guard of a resource that does not exist admits nobody", webhook, guard("resource=acme/none"), 403, insufficient},
	}
}
