// SPDX-License-Identifier: Apache-2.0

// Package provider is a third-party OAuth provider for tests, of which everything can be told and asked: how its refresh tokens
// behave, what goes wrong with which request, and afterwards which token was presented when, and which one is alive. It knows no
// test framework, and its clock is the test's.
//
// It is no model of good manners: a real provider keeps its own promises, and this one keeps those of its Options.
package provider

import (
	"crypto"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// Paths of its endpoints.
const (
	PathAuthorize = "/authorize"
	PathDecision  = "/authorize/decision"
	PathToken     = "/token"
	PathRevoke    = "/revoke"
	PathMe        = "/me"
)

// Rotation is what becomes of a refresh token that was used.
type Rotation int

const (
	// Keeps has it go on working.
	Keeps Rotation = iota
	// Forgives replaces it, gives the same successor again for Options.Grace, and ends the grant where it is used after that.
	Forgives
	// Strict replaces it, and ends the grant and all its access tokens where it is used again (RFC 9700 section 4.14.2).
	Strict
	// SingleUse replaces it, and refuses it where it is used again. The grant lives on.
	SingleUse
)

// Consent is what comes of an authorization request.
type Consent int

const (
	// Approves at once, as where the user has agreed before.
	Approves Consent = iota
	// Denies at once.
	Denies
	// Asks shows a page with two buttons.
	Asks
)

// Iss is what an answer of the authorization endpoint says of its issuer (RFC 9207).
type Iss int

const (
	// IssAbsent says nothing.
	IssAbsent Iss = iota
	// IssRight names the issuer.
	IssRight
	// IssWrong names another one.
	IssWrong
)

// ClientAuth is how the client must authenticate.
type ClientAuth int

const (
	// Basic is HTTP Basic (RFC 6749 section 2.3.1).
	Basic ClientAuth = iota
	// Post is in the body.
	Post
	// PrivateKeyJWT is an assertion that Options.ClientKey verifies (RFC 7523 section 2.2).
	PrivateKeyJWT
)

// What a client is that Options say nothing of.
const (
	ClientID     = "our-app"
	ClientSecret = "secret-of-our-app-registration"
)

// Options are how a provider behaves.
type Options struct {
	// TLS has it serve https, under the certificate of the Server.
	TLS bool
	// Now is its clock. Nil: the machine's.
	Now func() time.Time
	// Lifetime is that of an access token. Zero: an hour.
	Lifetime time.Duration
	Rotation Rotation
	// Grace is for Forgives. Zero: 30 seconds.
	Grace time.Duration

	Auth ClientAuth
	// ClientSecret is ClientSecret where it is empty.
	ClientSecret string
	ClientKey    crypto.PublicKey
	// RedirectURIs are those that are registered. None: any is taken.
	RedirectURIs []string

	Consent Consent
	Iss     Iss
	// ResponsePath is where in its answers the tokens are: names separated by dots. Empty: at the top.
	ResponsePath string
	// OmitsExpiresIn has no answer say how long its access token lives.
	OmitsExpiresIn bool
	// Form has it answer with a form, as GitHub does.
	Form bool
}

// Provider is one that runs.
type Provider struct {
	*httptest.Server
	options Options

	mutex     sync.Mutex
	grants    []*Grant
	access    map[string]*token
	refresh   map[string]*token
	codes     map[string]*code
	asked     map[string]*authorization
	used      map[string]bool // jti of assertions
	verifiers []string
	script    []Fault
	lasting   *Fault // nil: none
	ledger    []Presentation
	requests  []Request
	watch     func(Step)
	resetNext int
}

// Start starts a provider. Whoever starts it closes it.
func Start(options Options) *Provider {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Lifetime == 0 {
		options.Lifetime = time.Hour
	}
	if options.Grace == 0 {
		options.Grace = 30 * time.Second
	}
	if options.ClientSecret == "" {
		options.ClientSecret = ClientSecret
	}
	p := &Provider{
		options: options, access: map[string]*token{}, refresh: map[string]*token{}, codes: map[string]*code{},
		asked: map[string]*authorization{}, used: map[string]bool{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathAuthorize, p.authorize)
	mux.HandleFunc("POST "+PathDecision, p.decide)
	mux.HandleFunc("POST "+PathToken, p.token)
	mux.HandleFunc("POST "+PathRevoke, p.revoke)
	mux.HandleFunc("GET "+PathMe, p.me)
	mux.HandleFunc("GET /.well-known/openid-configuration", p.metadata)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", p.metadata)
	p.Server = httptest.NewUnstartedServer(p.noting(mux))
	p.Listener = &resetting{Listener: p.Listener, provider: p}
	if options.TLS {
		p.StartTLS()
	} else {
		p.Start()
	}
	return p
}

// Request is one that came, without what may be secret of it.
type Request struct{ Method, Path, Referer string }

// Requests gives all that came, in order.
func (p *Provider) Requests() []Request {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return append([]Request(nil), p.requests...)
}

func (p *Provider) noting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mutex.Lock()
		p.requests = append(p.requests, Request{r.Method, r.URL.Path, r.Referer()})
		p.mutex.Unlock()
		next.ServeHTTP(w, r)
	})
}

// Change changes how it behaves from now on. The clock, the address and TLS stay.
func (p *Provider) Change(change func(*Options)) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	change(&p.options)
}

func (p *Provider) current() Options {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.options
}

// Step is where the provider is with a token request when it calls whoever watches.
type Step int

const (
	// Arrived is before anything is done.
	Arrived Step = iota + 1
	// Done is when all is done but the answer.
	Done
)

// Watch has every token request call a function at each Step, which may hold the request up. Nil: none.
func (p *Provider) Watch(watch func(Step)) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.watch = watch
}

func (p *Provider) reach(step Step) {
	p.mutex.Lock()
	watch := p.watch
	p.mutex.Unlock()
	if watch != nil {
		watch(step)
	}
}

// random gives what nobody can guess, with something before it that says what it is.
func random(kind string) string { return kind + "-" + rand.Text() }
