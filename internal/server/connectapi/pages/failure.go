// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"net/http"

	"github.com/claviger/claviger/internal/connector/signin"
)

const failurePage = "failure.html"

// Failure is the page that says what went wrong and what to do, where there is nobody that the user could be sent back to. Its status
// follows from the problem.
type Failure struct {
	Problem signin.Problem
	// Application is the display name of the Connector, where it is known.
	Application string
	// Frames are the origins that may frame the page, where they are known: a frame that must not show it is blank.
	Frames []string
}

// Fail writes the page.
func (s *Site) Fail(w http.ResponseWriter, r *http.Request, failure Failure) {
	told := explain(failure.Problem, failure.Application)
	s.write(w, r, document{
		template: failurePage, status: told.status, policy: policy{frames: origins(failure.Frames)},
		view: struct {
			Told explanation
			Code string
		}{told, string(failure.Problem)},
	})
}
