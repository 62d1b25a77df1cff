// SPDX-License-Identifier: Apache-2.0

package connectapi

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"

	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/oauth"
)

// A browser is known by a cookie that nobody else can read or set: with TLS its name begins with __Host-, so that no neighbouring domain
// can plant one (RFC 6265bis section 4.1.3). It is sent along when a provider sends the browser back, which is a navigation.
const (
	cookieName      = "__Host-claviger-sign-in"
	plainCookieName = "claviger-sign-in" // on loopback
)

var cookieValue = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

func (a *API) cookieName() string {
	if a.URL.IsTLS() {
		return cookieName
	}
	return plainCookieName
}

// browser gives the browser that a request comes from. One that is not known yet is given a cookie.
func (a *API) browser(w http.ResponseWriter, r *http.Request) signin.Browser {
	known := a.knownBrowser(r)
	if known.Key.Reveal() == "" {
		known.Key = oauth.NewSecret(newKey())
		http.SetCookie(w, &http.Cookie{
			Name: a.cookieName(), Value: known.Key.Reveal(), Path: "/", HttpOnly: true, Secure: a.URL.IsTLS(), SameSite: http.SameSiteLaxMode,
		})
	}
	return known
}

// knownBrowser gives the browser that a request comes from; without a key where it is not known.
func (a *API) knownBrowser(r *http.Request) signin.Browser {
	cookies := r.CookiesNamed(a.cookieName())
	if len(cookies) != 1 || !cookieValue.MatchString(cookies[0].Value) {
		return signin.Browser{}
	}
	return signin.Browser{Key: oauth.NewSecret(cookies[0].Value)}
}

func newKey() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // ends the process where there is no randomness
	return base64.RawURLEncoding.EncodeToString(key[:])
}

// sameSite reports whether a form was sent from a page of ours. A page of somebody else would have a user connect an account that they
// have not seen. Browsers say so (Sec-Fetch-Site); one that does not names the origin, or nothing, because our pages ask it to: then it
// must have the cookie, which goes along with no request of another site's.
func (a *API) sameSite(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	switch r.Header.Get("Origin") {
	case originOf(a.URL.String()):
		return true
	case "", "null":
		return a.knownBrowser(r).Key.Reveal() != ""
	default:
		return false
	}
}

// seeOther sends a browser on with GET, and tells the next page nothing of this one.
func seeOther(w http.ResponseWriter, to string) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// parameters gives those of a query or a form that are named, and false where one comes twice.
func parameters(values url.Values, names ...string) (map[string]string, bool) {
	found := map[string]string{}
	for _, name := range names {
		if len(values[name]) > 1 {
			return nil, false
		}
		found[name] = values.Get(name)
	}
	return found, true
}
