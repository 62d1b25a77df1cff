// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/nodejs"
)

// Of the first generation of the SDK, the providers for client credentials ask for no scope unless they are told one; that of
// the second asks for what the challenge and the metadata name. Both name the resource.
var _ = Describe("the MCP client of npm", func() {
	for _, sdk := range []struct {
		name, module string
		scoped       bool
	}{
		{"@modelcontextprotocol/sdk 1.x", "mcp1.mjs", false},
		{"@modelcontextprotocol/client 2.x", "mcp2.mjs", true},
	} {
		Describe(sdk.name+" with a client secret", func() {
			describeClient(func(ctx context.Context, at tools) mcpClient {
				return &nodeMCP{Program: start(ctx, sdk.module), client: map[string]any{
					"id": at.keys.ID, "secret": at.keys.Secret, "issuer": issuer,
				}}
			}, sdk.scoped, true)
		})
		Describe(sdk.name+" with a key of its own", func() {
			var signer *signingKey
			describeClient(func(ctx context.Context, at tools) mcpClient {
				return &nodeMCP{Program: start(ctx, sdk.module), client: map[string]any{
					"id": at.keys.ID, "key": signer, "issuer": issuer,
				}}
			}, sdk.scoped, true, func() builder.CredentialOption {
				var keys string
				signer, keys = newSigningKey()
				return builder.JWKS(keys)
			})
		})
	}
})

// nodeMCP is a client that mcp1.mjs or mcp2.mjs runs.
type nodeMCP struct {
	*nodejs.Program
	client map[string]any
}

func (n *nodeMCP) connect(url string) error {
	GinkgoHelper()
	return n.Call(clock.Now(), "connect", map[string]any{"url": url, "client": n.client}, nil)
}

func (n *nodeMCP) list() (names []string, err error) {
	GinkgoHelper()
	err = n.Call(clock.Now(), "list", nil, &names)
	return names, err
}

func (n *nodeMCP) whoami() (who caller, err error) {
	GinkgoHelper()
	err = n.Call(clock.Now(), "call", map[string]string{"name": "whoami"}, &who)
	return who, err
}

func (n *nodeMCP) token() (token string) {
	GinkgoHelper()
	n.Must(clock.Now(), "token", nil, &token)
	return token
}

func (n *nodeMCP) tokenRequests() []asked {
	GinkgoHelper()
	var all []asked
	n.Must(clock.Now(), "requests", nil, &all)
	return tokenRequests(all)
}
