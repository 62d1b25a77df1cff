// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/auth/extauth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The handler for client credentials of the Go SDK asks for the scopes of the challenge, and does not name the resource: its
// tokens are for the issuer, which every resource admits that does not require its own audience.
var _ = Describe("the MCP Go SDK with a client secret", func() {
	describeClient(func(ctx context.Context, at tools) mcpClient {
		watched := &watched{}
		handler, err := extauth.NewClientCredentialsHandler(&extauth.ClientCredentialsHandlerConfig{
			Credentials: &oauthex.ClientCredentials{
				ClientID: at.keys.ID, ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: at.keys.Secret}, Issuer: issuer,
			},
			HTTPClient: &http.Client{Transport: watched},
		})
		Expect(err).NotTo(HaveOccurred())
		return &goMCP{ctx: ctx, handler: handler, watched: watched}
	}, true, false)
})

// goMCP is a client of the Go SDK.
type goMCP struct {
	ctx     context.Context //nolint:containedctx // the life of the spec
	handler *extauth.ClientCredentialsHandler
	watched *watched
	session *mcp.ClientSession
}

func (g *goMCP) connect(at string) (err error) {
	client := mcp.NewClient(&mcp.Implementation{Name: "interop", Version: "1.0.0"}, nil)
	// The session outlives the BeforeEach that opens it.
	g.ctx = context.WithoutCancel(g.ctx)
	g.session, err = client.Connect(g.ctx, &mcp.StreamableClientTransport{Endpoint: at, OAuthHandler: g.handler}, nil)
	if err == nil {
		DeferCleanup(func() { _ = g.session.Close() })
	}
	return err
}

func (g *goMCP) list() ([]string, error) {
	result, err := g.session.ListTools(g.ctx, nil)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, tool := range result.Tools {
		names = append(names, tool.Name)
	}
	return names, nil
}

func (g *goMCP) whoami() (who caller, err error) {
	result, err := g.session.CallTool(g.ctx, &mcp.CallToolParams{Name: "whoami", Arguments: struct{}{}})
	if err != nil {
		return who, err
	}
	text, ok := result.Content[0].(*mcp.TextContent)
	if !ok || result.IsError {
		return who, fmt.Errorf("the tool failed: %v", result.Content)
	}
	return who, json.Unmarshal([]byte(text.Text), &who)
}

func (g *goMCP) token() string {
	GinkgoHelper()
	source, err := g.handler.TokenSource(g.ctx)
	Expect(err).NotTo(HaveOccurred())
	token, err := source.Token()
	Expect(err).NotTo(HaveOccurred())
	plane.Ledger.Add(token.AccessToken)
	return token.AccessToken
}

func (g *goMCP) tokenRequests() []asked {
	g.watched.mutex.Lock()
	defer g.watched.mutex.Unlock()
	all := g.watched.requests
	g.watched.requests = nil
	return tokenRequests(all)
}

// watched notes what is asked, without anything secret.
type watched struct {
	mutex    sync.Mutex
	requests []asked
}

// RoundTrip sends a request.
func (w *watched) RoundTrip(request *http.Request) (*http.Response, error) {
	var form url.Values
	if request.Body != nil {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		form, _ = url.ParseQuery(string(body))
		request.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.requests = append(w.requests, asked{
		Path: request.URL.Path, Status: response.StatusCode, Scope: form.Get("scope"), Resource: form["resource"],
	})
	return response, nil
}
