// SPDX-License-Identifier: Apache-2.0

package thirdparty

import (
	"crypto/rand"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed authorize.html
var page string

var authorizePage = template.Must(template.New("authorize").Parse(page))

// Fields of the page's form, beside what the authorization request brought.
const (
	FieldUser  = "user"
	FieldAllow = "allow"
)

// carried are the parameters of an authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
var carried = []string{"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"}

// ask shows the page where a user signs in and allows, or does not.
func (a *Application) ask(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if !a.isRequest(query) {
		http.Error(w, "This is not a request that "+Name+" knows an answer to.", http.StatusBadRequest)
		return
	}
	fields := map[string]string{}
	for _, name := range carried {
		fields[name] = query.Get(name)
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; img-src data:; frame-ancestors 'none'")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	_ = authorizePage.Execute(w, map[string]any{
		"Name": Name, "Action": PathAuthorize, "Fields": fields, "Scope": query.Get("scope"), "User": FieldUser, "Allow": FieldAllow,
	})
}

// isRequest reports whether a request is its client's. Nobody is redirected to where another client wants.
func (a *Application) isRequest(query url.Values) bool {
	return query.Get("client_id") == ClientID && strings.HasPrefix(query.Get("redirect_uri"), a.redirects) &&
		query.Get("response_type") == "code" && query.Get("code_challenge") != "" && query.Get("code_challenge_method") == "S256"
}

// answer takes the form, and sends the user back (RFC 6749 section 4.1.2, RFC 9207).
func (a *Application) answer(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || !a.isRequest(r.PostForm) {
		http.Error(w, "This is not a form of "+Name+".", http.StatusBadRequest)
		return
	}
	form := r.PostForm
	reply := url.Values{"state": {form.Get("state")}, "iss": {a.issuer}}
	if user := form.Get(FieldUser); form.Get(FieldAllow) == "yes" && user != "" {
		reply.Set("code", a.issueCode(user, form))
	} else {
		reply.Set("error", "access_denied")
	}
	to, err := url.Parse(form.Get("redirect_uri"))
	if err != nil {
		http.Error(w, "The redirect URI is none.", http.StatusBadRequest)
		return
	}
	to.RawQuery = reply.Encode()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, to.String(), http.StatusSeeOther) //nolint:gosec // G710: isRequest has checked where it leads
}

func (a *Application) issueCode(user string, form url.Values) string {
	issued := rand.Text()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.codes[issued] = code{
		user: user, scope: form.Get("scope"), redirectURI: form.Get("redirect_uri"), challenge: form.Get("code_challenge"),
		expiresAt: a.now().Add(codeLifetime),
	}
	return issued
}
