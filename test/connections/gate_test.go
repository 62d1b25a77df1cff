// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"

	"k8s.io/client-go/rest"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/test/provider"
)

// step is one deed of a refresh.
type step string

const (
	intent  step = "its intent"
	request step = "its request"
	commit  step = "its commit"
	publish step = "the Secret"
	status  step = "the status"
)

// point is before a deed has arrived where it goes, or when it is done there and whose it is has not heard of it.
type point struct {
	step step
	done bool
}

func (p point) String() string {
	if p.done {
		return "when " + string(p.step) + " is done"
	}
	return "when " + string(p.step) + " is under way"
}

// points are all of them.
func points() []point {
	var all []point
	for _, step := range []step{intent, request, commit, publish, status} {
		all = append(all, point{step, false}, point{step, true})
	}
	return all
}

// gate holds a process up at one point of each of its connections. It stands between that process and the API server, and in the
// providers.
type gate struct {
	*httptest.Server
	mutex sync.Mutex
	// at says where each connection is held, by name, uids which name a UID is, and held which of them are.
	at   map[string]point
	uids map[string]string
	held map[string]bool
	// opened lets what is held up go on. dead says that what has not arrived never does.
	opened chan struct{}
	dead   bool
}

// startGate starts a gate that is in nobody's way but that of the process which reaches the API server through it.
func startGate() *gate {
	GinkgoHelper()
	admin := plane.Admin()
	target, err := url.Parse(admin.Host)
	Expect(err).NotTo(HaveOccurred())
	anonymous := rest.AnonymousClientConfig(admin)
	transport, err := rest.TransportFor(anonymous)
	Expect(err).NotTo(HaveOccurred())
	g := &gate{at: map[string]point{}, uids: map[string]string{}, held: map[string]bool{}, opened: make(chan struct{})}
	proxy := &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { panic(http.ErrAbortHandler) },
		ErrorLog:     nil,
	}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.forward(proxy, w, r) }))
	DeferCleanup(func() {
		g.CloseClientConnections()
		g.Close()
	})
	return g
}

// hold has a connection held up at a point, once.
func (g *gate) hold(l *linked, at point) {
	// The provider calls from a goroutine of its own, while the test reads the object anew.
	name := l.object.Name
	g.mutex.Lock()
	g.at[name], g.uids[string(l.object.UID)] = at, name
	g.mutex.Unlock()
	if at.step == request {
		l.provider.Watch(func(step provider.Step) { g.pass(context.Background(), name, point{request, step == provider.Done}) })
	}
}

func (g *gate) forward(proxy http.Handler, w http.ResponseWriter, r *http.Request) {
	step, name := g.recognize(r)
	if step == "" {
		proxy.ServeHTTP(w, r)
		return
	}
	if g.pass(r.Context(), name, point{step, false}) {
		panic(http.ErrAbortHandler)
	}
	answer := httptest.NewRecorder()
	// A process that dies does not take back what it has sent.
	proxy.ServeHTTP(answer, r.WithContext(context.WithoutCancel(r.Context())))
	if g.pass(r.Context(), name, point{step, true}) {
		panic(http.ErrAbortHandler)
	}
	for header, values := range answer.Header() {
		w.Header()[header] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// recognize says which deed a request is, and of which connection.
func (g *gate) recognize(r *http.Request) (step, string) {
	if r.Method == http.MethodGet {
		return "", ""
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	for i, part := range parts {
		last := parts[len(parts)-1]
		switch {
		case part == config.ConnectionsNamespace && strings.HasPrefix(last, "connection-"):
			return ofRecord(r), g.nameOf(strings.TrimPrefix(last, "connection-"))
		case part == "accountconnectors" && last == "status":
			return status, parts[i+1]
		case part == "secrets" && len(parts) == i+2:
			if g.knows(last) {
				return publish, last
			}
		}
	}
	return "", ""
}

func (g *gate) nameOf(uid string) string {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.uids[uid]
}

func (g *gate) knows(name string) bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	_, known := g.at[name]
	return known
}

// ofRecord says what a write of a record is for.
func ofRecord(r *http.Request) step {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var patch struct {
		Data map[string][]byte `json:"data"`
	}
	if json.Unmarshal(body, &patch) != nil {
		return ""
	}
	record, err := connector.Decode(patch.Data[v1alpha1.SecretKeyRecord])
	switch {
	case err != nil || record.Generation == 0:
		return ""
	case record.Intent != nil:
		return intent
	default:
		return commit
	}
}

// pass holds a connection up where it is to be, and reports whether it is dead afterwards.
func (g *gate) pass(ctx context.Context, name string, at point) (dead bool) {
	g.mutex.Lock()
	if g.dead || g.at[name] != at || g.held[name] {
		defer g.mutex.Unlock()
		return g.dead
	}
	g.held[name] = true
	g.mutex.Unlock()
	select {
	case <-g.opened:
	case <-ctx.Done():
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.dead
}

// missing gives the connections that are not held up yet.
func (g *gate) missing() []string {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	var names []string
	for name, at := range g.at {
		if !g.held[name] {
			names = append(names, name+" "+at.String())
		}
	}
	return names
}

// doom says that the process is about to die: what it has not sent by now it never does.
func (g *gate) doom() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.dead = true
}

// open lets everything go on that the process has sent.
func (g *gate) open() { close(g.opened) }
