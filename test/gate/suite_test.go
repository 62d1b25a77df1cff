// SPDX-License-Identifier: Apache-2.0

// Package gate holds gates of both sources to the table of docs/endpoints.md, on a real API server, and to what docs/gate.md
// promises of streams and outages.
package gate

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

func TestGate(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Gate")
}

var (
	world = &matrix.World{}
	// behind is what is guarded: it says who called.
	behind *httptest.Server
	// asker is a folder with the credentials of a client that may ask about all tokens.
	asker string
)

var _ = BeforeSuite(func(ctx context.Context) {
	world.Start(ctx)
	behind = httptest.NewServer(http.HandlerFunc(guarded))
	DeferCleanup(behind.Close)
	asker = GinkgoT().TempDir()
	for file, content := range map[string]string{"client_id": world.Console.ID, "client_secret": world.Console.Secret} {
		Expect(os.WriteFile(filepath.Join(asker, file), []byte(content), 0o600)).To(Succeed())
	}
	for _, source := range sources {
		source.gates = map[string]*harness.Gate{}
		for _, at := range []matrix.Place{
			matrix.AcmeWebhook, matrix.AcmeMCP, matrix.OtherWebhook, matrix.OtherMCP, matrix.SharedWebhook, matrix.SharedMCP, matrix.API,
		} {
			source.gates[at.Guard] = source.start(at.Guard, func(*app.GateOptions) {})
		}
		source.gates[matrix.AcmeTools.Guard] = source.start("", source.tools)
	}
})

var _ = AfterSuite(func(ctx context.Context) {
	if world.Plane != nil {
		world.Plane.Ledger.ExpectNoLeak(ctx)
		world.Plane.ExpectRightsUsed(harness.GateServiceAccount)
	}
})

// guarded answers with what it sees of the caller; at /events with a stream that has no end of its own.
func guarded(w http.ResponseWriter, r *http.Request) {
	for _, name := range []string{"Client-Id", "Account", "Scope", "Expires"} {
		w.Header()["Saw-"+name] = r.Header.Values("X-Claviger-" + name)
	}
	w.Header().Set("Saw-Authorization", r.Header.Get("Authorization"))
	if r.Header.Get("Accept") != "text/event-stream" {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = w.Write([]byte("data: begun\n\n"))
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// source is one way in which a gate comes to its verdicts.
type source struct {
	name   string
	choose func(*app.GateOptions)
	// tools makes it guard matrix.AcmeTools.
	tools func(*app.GateOptions)
	gates map[string]*harness.Gate // by guard
}

var sources = []*source{
	{
		name:   "by Claviger's objects",
		choose: func(o *app.GateOptions) { o.Source = app.SourceAPI },
		tools:  func(o *app.GateOptions) { o.Resource = "acme/tools" },
	},
	{
		name: "by asking",
		choose: func(o *app.GateOptions) {
			o.Source, o.Introspection.Dir, o.IntrospectionCache = app.SourceIntrospection, asker, 100*time.Millisecond
		},
		tools: func(o *app.GateOptions) { o.Scope, o.Account, o.ResourceURL = "MCP", "acme", matrix.ToolsURL },
	},
}

// start starts a gate for a guard, which is written as the query of /verify.
func (s *source) start(guard string, change func(*app.GateOptions)) *harness.Gate {
	GinkgoHelper()
	query, err := url.ParseQuery(guard)
	Expect(err).NotTo(HaveOccurred())
	return world.Plane.StartGate(world.Service, behind.URL, func(o *app.GateOptions) {
		s.choose(o)
		o.Scope, o.Account = query.Get("scope"), query.Get("account")
		change(o)
	})
}

// ask is how a caller asks: by calling what is guarded.
func (s *source) ask(token string, at matrix.Place) harness.Answer {
	GinkgoHelper()
	gate, known := s.gates[at.Guard]
	Expect(known).To(BeTrue(), "no gate is for %s", at.Guard)
	return gate.Call(token, at.Headers()...)
}

// each adds the specs once for every source.
func each(specs func(*source)) {
	for _, source := range sources {
		Context(source.name, func() { specs(source) })
	}
}

var _ = Describe("the matrix of tokens and places", func() {
	each(func(s *source) {
		matrix.Hold(matrix.Tokens(), world, s.ask)
		matrix.Hold(matrix.Forgeries(), world, s.ask)
		matrix.HoldDeaths(world, matrix.Shared, s.ask)
		matrix.Hold(matrix.Resources(), world, s.ask) // the metadata that its refusals name are its own
	})
})
