// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// code is an authorization code that was given.
type code struct {
	redirectURI, challenge, scope string
	expires                       time.Time
	grant                         *Grant // that came of it; nil: none yet
}

// authorization is a request that a user is asked about.
type authorization struct{ redirectURI, state, challenge, scope string }

// codeLifetime is that of an authorization code.
const codeLifetime = time.Minute

// authorize is the authorization endpoint (RFC 6749 section 4.1.1). What is wrong with the client or where to go is told to the user,
// and everything else to the client (section 4.1.2.1).
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	query, options := r.URL.Query(), p.current()
	asked := authorization{query.Get("redirect_uri"), query.Get("state"), query.Get("code_challenge"), query.Get("scope")}
	switch {
	case query.Get("client_id") != ClientID:
		http.Error(w, "There is no such client", http.StatusBadRequest)
	case asked.redirectURI == "" || len(options.RedirectURIs) > 0 && !slices.Contains(options.RedirectURIs, asked.redirectURI):
		http.Error(w, "The redirect URI is not registered", http.StatusBadRequest)
	case query.Get("response_type") != "code":
		p.send(w, r, asked, url.Values{"error": {"unsupported_response_type"}})
	case query.Get("code_challenge_method") != "S256" || asked.challenge == "":
		p.send(w, r, asked, url.Values{"error": {"invalid_request"}, "error_description": {"code_challenge with S256 is required"}})
	case options.Consent == Denies:
		p.deny(w, r, asked)
	case options.Consent == Approves:
		p.approve(w, r, asked)
	default:
		p.ask(w, asked)
	}
}

// page asks the user. It has no script, so that nothing but the user decides.
var page = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in to the application</title><link rel="icon" href="data:,"></head>
<body><main><h1>The application</h1><p>{{ .Client }} asks for access: {{ .Scope }}</p>
<form method="post" action="{{ .Action }}"><input type="hidden" name="request" value="{{ .Request }}">
<button id="approve" name="decision" value="approve">Allow</button>
<button id="deny" name="decision" value="deny">Deny</button></form></main></body></html>
`))

func (p *Provider) ask(w http.ResponseWriter, asked authorization) {
	request := random("request")
	p.mutex.Lock()
	p.asked[request] = &asked
	p.mutex.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, map[string]string{"Client": ClientID, "Scope": asked.scope, "Action": PathDecision, "Request": request})
}

// decide takes what the user has decided, once.
func (p *Provider) decide(w http.ResponseWriter, r *http.Request) {
	p.mutex.Lock()
	asked := p.asked[r.PostFormValue("request")]
	delete(p.asked, r.PostFormValue("request"))
	p.mutex.Unlock()
	switch {
	case asked == nil:
		http.Error(w, "This was decided already", http.StatusBadRequest)
	case r.PostFormValue("decision") == "approve":
		p.approve(w, r, *asked)
	default:
		p.deny(w, r, *asked)
	}
}

func (p *Provider) approve(w http.ResponseWriter, r *http.Request, asked authorization) {
	value := random("code")
	p.mutex.Lock()
	p.codes[value] = &code{
		redirectURI: asked.redirectURI, challenge: asked.challenge, scope: asked.scope, expires: p.options.Now().Add(codeLifetime),
	}
	p.mutex.Unlock()
	p.send(w, r, asked, url.Values{"code": {value}})
}

func (p *Provider) deny(w http.ResponseWriter, r *http.Request, asked authorization) {
	p.send(w, r, asked, url.Values{"error": {"access_denied"}, "error_description": {"The user did not agree"}})
}

// send sends the browser back to the client.
func (p *Provider) send(w http.ResponseWriter, r *http.Request, asked authorization, answer url.Values) {
	to, err := url.Parse(asked.redirectURI)
	if err != nil {
		http.Error(w, "The redirect URI is none", http.StatusBadRequest)
		return
	}
	query := to.Query()
	for name, values := range answer {
		query[name] = values
	}
	if asked.state != "" {
		query.Set("state", asked.state)
	}
	switch p.current().Iss {
	case IssRight:
		query.Set("iss", p.URL)
	case IssWrong:
		query.Set("iss", "https://another.example")
	case IssAbsent:
	}
	to.RawQuery = query.Encode()
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

// metadata is what RFC 8414 and OpenID Connect Discovery have.
func (p *Provider) metadata(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + PathAuthorize, "token_endpoint": p.URL + PathToken,
		"revocation_endpoint": p.URL + PathRevoke, "response_types_supported": []string{"code"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token", "client_credentials"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": p.current().Iss != IssAbsent,
	})
}
