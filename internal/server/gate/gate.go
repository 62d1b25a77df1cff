// SPDX-License-Identifier: Apache-2.0

// Package gate is a reverse proxy that lets a call through to an upstream only with a token that is good for it, and ends the
// call when the token no longer is. It adds who calls, and takes away whatever the caller says about that. Everything else
// passes as it comes.
package gate

import (
	"context"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
)

// Judge says whether a token is good for a place: issuer.Service.Authorize, or what stands in for it. Its errors are those.
type Judge interface {
	Authorize(ctx context.Context, raw string, need issuer.Need) (issuer.Access, error)
}

// Options are what a Gate is made of. All but the optional ones are required.
type Options struct {
	Judge Judge
	// Need is what the place asks of a token, as it is now. Where it fails, nobody is admitted.
	Need func() (issuer.Need, error)
	// Resource is what callers know the place as, as it is now; nil where there is nothing to tell them. Optional.
	Resource func() *Resource
	// AccountHeader is the request header that names the account a call concerns.
	AccountHeader string
	Upstream      Upstream
	// PublicPaths are let through without a token: the exact escaped paths. Optional.
	PublicPaths []string
	// PassPreflight lets the preflights of browsers through, which can bring no token. Optional.
	PassPreflight bool
	// Patience is how long a call that is under way may go on while nobody can say whether its token is still good.
	Patience time.Duration

	Metrics *Metrics
	Audit   audit.Log
	Log     logr.Logger
	Now     func() time.Time
}

// Gate guards one upstream. It is safe for concurrent use.
type Gate struct {
	Options

	public map[string]bool
	calls  calls
	proxy  *httputil.ReverseProxy
}

// New makes a gate.
func New(options Options) *Gate {
	g := &Gate{Options: options, public: map[string]bool{}}
	for _, path := range options.PublicPaths {
		g.public[path] = true
	}
	g.proxy = g.newProxy()
	options.Metrics.follow(&g.calls)
	return g
}

// ServeHTTP judges a call and lets it through, or answers itself.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect || r.URL.Opaque != "" || r.URL.Path == "*":
		g.misdirected(w)
	case strings.HasPrefix(r.URL.Path, oauth.PathResourceMetadata) && g.resource().has(r.URL.EscapedPath()):
		g.Metrics.verdict(resultMetadata)
		g.resource().serve(w, r)
	case g.public[r.URL.EscapedPath()]:
		g.Metrics.verdict(resultPublic)
		g.proxy.ServeHTTP(w, r)
	case g.PassPreflight && isPreflight(r):
		g.Metrics.verdict(resultPreflight)
		g.proxy.ServeHTTP(w, r)
	default:
		g.guard(w, r)
	}
}

func (g *Gate) resource() *Resource {
	if g.Resource == nil {
		return nil
	}
	return g.Resource()
}

// guard judges a call and lets it through for as long as the verdict holds.
func (g *Gate) guard(w http.ResponseWriter, r *http.Request) {
	c := &call{accounts: r.Header.Values(g.AccountHeader)}
	need, err := g.needOf(c)
	if err == nil {
		c.bearer, err = oauth.ParseBearer(r.Header.Values("Authorization"))
	}
	if err == nil {
		c.access, err = g.Judge.Authorize(r.Context(), c.bearer, need)
	}
	if err != nil {
		g.refuse(w, r, verdict{access: c.access, need: need, err: err})
		return
	}
	g.Metrics.verdict(resultAdmitted)
	ctx, end := context.WithCancelCause(r.Context())
	defer end(nil)
	c.end, c.origin = end, g.origin(r)
	c.confirm(g.Now())
	g.calls.add(c)
	defer g.calls.remove(c)
	g.pass(w, r.WithContext(context.WithValue(ctx, callKey{}, c)), c)
}

// needOf is what the place asks of this call's token: where the caller names an account too, the token must be good for both.
func (g *Gate) needOf(c *call) (issuer.Need, error) {
	need, err := g.Need()
	if err != nil {
		return issuer.Need{}, err
	}
	need.Accounts = slices.Clip(need.Accounts)
	for _, account := range c.accounts {
		if account != "" {
			need.Accounts = append(need.Accounts, account)
		}
	}
	return need, nil
}

// isPreflight reports whether a browser asks what it may do (Fetch standard, section 3.2.2). Such a request never brings
// credentials.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}
