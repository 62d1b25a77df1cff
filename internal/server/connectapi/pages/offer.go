// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"net/http"
	"slices"
	"strings"
)

const offerPage = "offer.html"

// Offer is the page that says what a sign-in is about, with one button. It consumes nothing: mail scanners and browsers fetch links
// that nobody has followed.
type Offer struct {
	// Application is the display name of the Connector.
	Application string
	// Account is the display name of the Account, or its ID.
	Account string
	// User is on whose behalf the account is connected.
	User string
	// Return is the host of the page that the sign-in ends at.
	Return string
	// Action is where the form is posted to: a path of this server.
	Action string
	// Fields are the hidden fields of the form, in the order of their names.
	Fields map[string]string
	// Frames are the origins that may frame the page.
	Frames []string
	// Destinations are the origins that the answer may lead to: that of the application's authorization endpoint, and that of the page
	// that the sign-in ends at.
	Destinations []string
}

// Offer writes the page.
func (s *Site) Offer(w http.ResponseWriter, r *http.Request, offer Offer) {
	frames, forms := origins(offer.Frames), formSources(offer.Destinations)
	for _, name := range []*string{&offer.Application, &offer.Account, &offer.User, &offer.Return} {
		*name = display(*name)
	}
	s.write(w, r, document{
		template: offerPage, status: http.StatusOK, view: offer,
		policy: policy{script: true, forms: forms, frames: frames},
	})
}

// formSources are where a form may lead to. Chromium holds every redirect that follows a form against form-action, and an application
// is free to redirect from its authorization endpoint to hosts that nobody here knows: its region's, or the user's identity provider's.
// Thus every https origin may follow, and others only where they are named.
func formSources(destinations []string) []string {
	list := []string{"'self'", "https:"}
	for _, origin := range origins(destinations) {
		if !strings.HasPrefix(origin, "https:") && !slices.Contains(list, origin) {
			list = append(list, origin)
		}
	}
	return list
}
