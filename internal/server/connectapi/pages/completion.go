// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/claviger/claviger/internal/connector/signin"
)

const completionPage = "completion.html"

// Completion is the page that ends a sign-in whose outcome is posted to the window that opened this one.
type Completion struct {
	// Application is the display name of the Connector.
	Application string
	// Target is the exact origin that the message is posted to.
	Target string
	// Message is what is posted: JSON, which the opener receives as the value that it is.
	Message json.RawMessage
	// Problem is why nothing was connected; empty where it went well.
	Problem signin.Problem
	// Frames are the origins that may frame the page.
	Frames []string
}

// Complete writes the page. It is 200 in either case: gateways put pages of their own in place of errors, and the opener would wait
// for ever.
func (s *Site) Complete(w http.ResponseWriter, r *http.Request, completion Completion) {
	told := connected(completion.Application)
	if completion.Problem != "" {
		told = explain(completion.Problem, completion.Application)
	}
	s.write(w, r, document{
		template: completionPage, status: http.StatusOK, policy: policy{script: true, frames: origins(completion.Frames)},
		view: struct {
			Told                          explanation
			Code, Target, Message, Return string
		}{told, string(completion.Problem), completion.Target, string(completion.Message), host(completion.Target)},
	})
}

// host is what a user knows of an origin.
func host(origin string) string {
	parsed, err := url.Parse(origin)
	if err != nil || parsed.Host == "" {
		return "the page that you came from"
	}
	return display(parsed.Host)
}
