// SPDX-License-Identifier: Apache-2.0

package connectapi

import (
	"net/http"
	"net/url"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/connectapi/pages"
	"github.com/claviger/claviger/internal/server/respond"
)

// Names of a link's parameters, in its query and in the form of its page.
const (
	parameterID      = "id"
	parameterToken   = "token"
	parameterTarget  = "targetOrigin"
	parameterMessage = "callbackMessage"
)

// maxForm bounds the form of the page, in bytes.
const maxForm = 16 << 10

// Link is where a sign-in link leads: GET shows what it is about, and uses nothing up, because mail scanners and browsers fetch links
// that nobody has followed; POST, which is the page's button, uses the sign-in token up and sends the browser to the provider.
func (a *API) Link(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		a.offer(w, r)
	case http.MethodPost:
		a.begin(w, r)
	default:
		respond.MethodNotAllowed(w, "GET, HEAD, POST")
	}
}

func (a *API) offer(w http.ResponseWriter, r *http.Request) {
	if !a.admit(w, r) {
		return
	}
	opening, err := openingOf(r.URL.RawQuery)
	if err != nil {
		a.fail(w, r, err, pages.Failure{})
		return
	}
	offer, err := a.SignIns.Look(r.Context(), opening)
	if err != nil {
		a.fail(w, r, err, failureOf(offer))
		return
	}
	if _, err := a.browser(w, r); err != nil {
		a.fail(w, r, err, failureOf(offer))
		return
	}
	a.Pages.Offer(w, r, pages.Offer{
		Application: applicationOf(offer.Place), Account: accountOf(offer.Place), User: offer.User, Return: offer.Target.Host(),
		Action: a.URL.Path() + PathLink,
		Fields: map[string]string{
			parameterID: opening.Connection, parameterToken: opening.Token.Reveal(), parameterTarget: opening.Target, parameterMessage: opening.Message,
		},
		Frames:       offer.Origins,
		Destinations: []string{originOf(offer.AuthorizationURL()), offer.Target.Origin()},
	})
}

func (a *API) begin(w http.ResponseWriter, r *http.Request) {
	if !a.admit(w, r) {
		return
	}
	if !a.sameSite(r) {
		a.fail(w, r, signin.CrossSite, pages.Failure{})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil || r.URL.RawQuery != "" {
		a.fail(w, r, signin.LinkInvalid, pages.Failure{})
		return
	}
	opening, err := openingOf(r.PostForm.Encode())
	if err != nil {
		a.fail(w, r, err, pages.Failure{})
		return
	}
	browser, err := a.browser(w, r)
	if err != nil {
		a.fail(w, r, err, pages.Failure{})
		return
	}
	to, offer, err := a.SignIns.Begin(r.Context(), opening, browser)
	if err != nil {
		a.fail(w, r, err, failureOf(offer))
		return
	}
	a.Metrics.begun.Inc()
	connection := offer.Place.Connection
	a.Audit.Write(a.origin(r), audit.SignInBegun{
		Account: connection.Spec.AccountRef.Name, User: offer.User, Connection: idOf(connection), Connector: connection.Spec.ConnectorRef.Name,
	})
	seeOther(w, to)
}

// openingOf reads a link's parameters, from the query that it came with or from the form that it was put into.
func openingOf(encoded string) (signin.Opening, error) {
	values, err := url.ParseQuery(encoded)
	if err != nil {
		return signin.Opening{}, signin.LinkInvalid
	}
	given, ok := parameters(values, parameterID, parameterToken, parameterTarget, parameterMessage)
	if !ok {
		return signin.Opening{}, signin.LinkInvalid
	}
	return signin.Opening{
		Token:      oauth.NewSecret(given[parameterToken]),
		Connection: given[parameterID], Target: given[parameterTarget], Message: given[parameterMessage],
	}, nil
}

func failureOf(offer signin.Offer) pages.Failure {
	return pages.Failure{Application: applicationOf(offer.Place), Frames: offer.Origins}
}

func applicationOf(place signin.Place) string {
	if place.Connector == nil {
		return ""
	}
	return place.Connector.Spec.DisplayName
}

func accountOf(place signin.Place) string {
	if name := place.Account.Spec.DisplayName; name != "" {
		return name
	}
	return place.Account.Name
}

func idOf(connection *v1alpha1.AccountConnector) string {
	return connection.Namespace + "." + connection.Name
}

func originOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Scheme + "://" + parsed.Host
}
