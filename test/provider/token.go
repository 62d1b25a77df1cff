// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// token is the token endpoint.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	fault := p.next()
	p.reach(Arrived)
	if !p.authenticates(r) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	tokens, code := p.carryOut(r.PostForm, fault)
	p.reach(Done)
	shape := p.current()
	if fault.shape != nil {
		fault.shape(&shape)
	}
	body, kind := tokens.encode(shape)
	switch {
	case fault.answer != nil:
		fault.answer(w, r, body)
	case code != "":
		refuse(w, http.StatusBadRequest, code)
	default:
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(body)
	}
}

// carryOut does what a token request asks for, and gives the tokens or an OAuth error.
func (p *Provider) carryOut(form url.Values, fault Fault) (Tokens, string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	happens := fault.answer == nil || fault.Consumes
	switch form.Get("grant_type") {
	case "refresh_token":
		return p.refreshes(form.Get("refresh_token"), fault, happens)
	case "authorization_code":
		if !happens {
			return Tokens{}, ""
		}
		return p.redeems(form)
	case "client_credentials":
		if !happens {
			return Tokens{}, ""
		}
		return p.issueAccess(p.newGrant(form.Get("scope"))), ""
	default:
		return Tokens{}, "unsupported_grant_type"
	}
}

func (p *Provider) refreshes(presented string, fault Fault, happens bool) (Tokens, string) {
	found := p.refresh[presented]
	if found == nil {
		return Tokens{}, "invalid_grant"
	}
	again := !found.usedAt.IsZero() && p.options.Rotation != Keeps
	if !happens {
		p.note(found, again, Ignored, fault.Name)
		return Tokens{}, ""
	}
	if fault.Ends {
		found.grant.ended = true
	}
	tokens, err := p.use(found)
	if err != nil {
		p.note(found, again, Refused, fault.Name)
		return Tokens{}, err.Error()
	}
	p.note(found, again, Accepted, fault.Name)
	return tokens, ""
}

// redeems exchanges a code, once (RFC 6749 section 4.1.2 and RFC 7636 section 4.6).
func (p *Provider) redeems(form url.Values) (Tokens, string) {
	if verifier := form.Get("code_verifier"); verifier != "" {
		p.verifiers = append(p.verifiers, verifier)
	}
	found := p.codes[form.Get("code")]
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	switch {
	case found == nil, p.options.Now().After(found.expires), found.redirectURI != form.Get("redirect_uri"):
		return Tokens{}, "invalid_grant"
	case subtle.ConstantTimeCompare([]byte(challenge), []byte(found.challenge)) != 1:
		return Tokens{}, "invalid_grant"
	case found.grant != nil:
		found.grant.ended = true
		return Tokens{}, "invalid_grant"
	}
	found.grant = p.newGrant(found.scope)
	return p.issue(found.grant), ""
}

// encode gives the body of a token answer, and its media type.
func (t Tokens) encode(shape Options) (body []byte, kind string) {
	lifetime := strconv.Itoa(int(t.lifetime.Seconds()))
	if shape.Form {
		form := url.Values{"access_token": {t.Access}, "token_type": {"bearer"}, "scope": {t.Scope}}
		if t.Refresh != "" {
			form.Set("refresh_token", t.Refresh)
		}
		if !shape.OmitsExpiresIn {
			form.Set("expires_in", lifetime)
		}
		return []byte(form.Encode()), "application/x-www-form-urlencoded"
	}
	inner := map[string]any{"access_token": t.Access, "token_type": "Bearer", "scope": t.Scope}
	if t.Refresh != "" {
		inner["refresh_token"] = t.Refresh
	}
	if !shape.OmitsExpiresIn {
		inner["expires_in"] = json.Number(lifetime)
	}
	if path := shape.ResponsePath; path != "" {
		names := strings.Split(path, ".")
		for i := range names {
			inner = map[string]any{names[len(names)-1-i]: inner, "ok": true}
		}
	}
	body, _ = json.Marshal(inner) //nolint:errchkjson // maps of strings
	return body, "application/json"
}

// revoke is the revocation endpoint (RFC 7009).
func (p *Provider) revoke(w http.ResponseWriter, r *http.Request) {
	if !p.authenticates(r) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	value := r.PostFormValue("token")
	if found := p.refresh[value]; found != nil {
		found.grant.ended = true
	}
	delete(p.access, value)
}

// me is a resource of the application: 200 with a live access token, else 401.
func (p *Provider) me(w http.ResponseWriter, r *http.Request) {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !p.AccessLive(bearer) {
		w.WriteHeader(http.StatusUnauthorized)
	}
}
