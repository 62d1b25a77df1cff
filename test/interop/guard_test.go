// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/oauthapi"
)

// guard stands before an MCP server: start gives a listener an upstream behind the guard of a resource, namespace/name.
type guard struct {
	name  string
	start func(ctx context.Context, listener net.Listener, upstream, resource string)
	// before are the servers that it is tried before.
	before []mcpServer
	// describes: it serves the metadata on the server's own host (RFC 9728 section 3.1).
	describes bool
}

// guards are those that every client is tried behind, with the servers that are behind them.
func guards() []guard {
	return []guard{
		{"/verify", forwardAuth, mcpServers(), false},
		{"a gate that judges by Claviger's objects", gate(func(o *app.GateOptions, resource, _ string) {
			o.Source, o.Resource = app.SourceAPI, resource
		}), mcpServers()[:1], true},
		{"a gate that asks", gate(func(o *app.GateOptions, _, url string) {
			o.Source, o.Scope, o.Account, o.ResourceURL = app.SourceIntrospection, "MCP", "acme", url
			o.Introspection.Dir, o.IntrospectionCache = asker, 0
		}), mcpServers()[1:], true},
	}
}

// gate gives the start of a gate where the listener was. set says what it guards, and by what it judges.
func gate(set func(o *app.GateOptions, resource, url string)) func(context.Context, net.Listener, string, string) {
	return func(_ context.Context, listener net.Listener, upstream, resource string) {
		GinkgoHelper()
		address := listener.Addr().String()
		Expect(listener.Close()).To(Succeed())
		plane.StartGate(service, upstream, func(o *app.GateOptions) {
			o.Issuer, o.ListenAddress, o.Clock = issuer, address, clock.Now
			set(o, resource, "http://"+address+"/mcp")
		})
	}
}

// forwardAuth is the least that a gateway does which asks /verify: it sends the caller's headers there, passes on an answer
// that admits nobody as it is, and else the request with the headers of the answer.
func forwardAuth(_ context.Context, listener net.Listener, upstream, resource string) {
	GinkgoHelper()
	target, err := url.Parse(upstream)
	Expect(err).NotTo(HaveOccurred())
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1, // streams pass as they come
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Authorization")
		},
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, service.URL+server.PathVerify+"?resource="+resource, http.NoBody)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		ask.Header = http.Header{"Authorization": r.Header["Authorization"]}
		verdict, err := http.DefaultClient.Do(ask)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer verdict.Body.Close()
		if verdict.StatusCode != http.StatusOK {
			for _, name := range []string{"WWW-Authenticate", "Content-Type", "Cache-Control"} {
				w.Header()[name] = verdict.Header[http.CanonicalHeaderKey(name)]
			}
			w.WriteHeader(verdict.StatusCode)
			_, _ = io.Copy(w, verdict.Body)
			return
		}
		for name, values := range verdict.Header {
			if strings.HasPrefix(name, oauthapi.HeaderPrefix) {
				r.Header[name] = values
			}
		}
		proxy.ServeHTTP(w, r)
	})
	serve(listener, handler)
}

// serve serves until the spec ends.
func serve(listener net.Listener, handler http.Handler) *httptest.Server {
	GinkgoHelper()
	running := httptest.NewUnstartedServer(handler)
	if listener != nil {
		Expect(running.Listener.Close()).To(Succeed())
		running.Listener = listener
	}
	running.Start()
	DeferCleanup(func() {
		running.CloseClientConnections() // streams stay open otherwise
		running.Close()
	})
	return running
}

// mcpServer is an MCP server that knows nothing of OAuth. start gives its address.
type mcpServer struct {
	name  string
	start func(ctx context.Context) string
}

func mcpServers() []mcpServer {
	return []mcpServer{
		{"a server of npm @modelcontextprotocol/sdk", func(ctx context.Context) string {
			GinkgoHelper()
			var address string
			start(ctx, "mcpserver.mjs").Must(clock.Now(), "serve", nil, &address)
			return address
		}},
		{"a server of the MCP Go SDK", func(context.Context) string { return serve(nil, goServer()).URL }},
	}
}

// caller is what a server's one tool tells of who called it.
type caller struct {
	Client  string `json:"client"`
	Account string `json:"account"`
	Scope   string `json:"scope"`
	Token   string `json:"token"`
}

func goServer() http.Handler {
	implementation := mcp.NewServer(&mcp.Implementation{Name: "go", Version: "1.0.0"}, nil)
	mcp.AddTool(implementation, &mcp.Tool{Name: "whoami", Description: "Tells who is calling"},
		func(_ context.Context, request *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, caller, error) {
			headers := request.Extra.Header
			token := "kept back"
			if headers.Get("Authorization") != "" {
				token = "passed on"
			}
			return nil, caller{
				Client: headers.Get(oauthapi.HeaderPrefix + "Client-Id"), Account: headers.Get(oauthapi.HeaderPrefix + "Account"),
				Scope: headers.Get(oauthapi.HeaderPrefix + "Scope"), Token: token,
			}, nil
		})
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return implementation }, nil)
}
