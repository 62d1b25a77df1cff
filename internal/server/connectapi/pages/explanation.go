// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"net/http"
	"strings"

	"github.com/claviger/claviger/internal/connector/signin"
)

// application stands in an explanation for the application's name.
const application = "{application}"

// explanation is what a user is told.
type explanation struct {
	status int
	Title  string
	// What has happened, and what to do about it.
	What, Do string
}

// about names the application.
func (e explanation) about(name string) explanation {
	named := func(text, unnamed string) string {
		if name := display(name); name != "" {
			unnamed = name
		}
		return strings.ReplaceAll(text, application, unnamed)
	}
	e.Title, e.What, e.Do = named(e.Title, "The application"), named(e.What, "the application"), named(e.Do, "the application")
	return e
}

func connected(name string) explanation {
	return explanation{Title: application + " is connected", What: "The sign-in is complete."}.about(name)
}

// explain says what a problem means for the user.
func explain(problem signin.Problem, name string) explanation {
	told, known := explanations[problem]
	if !known {
		told = explanation{http.StatusInternalServerError, "The sign-in cannot go on", "Something went wrong here.", startAgain}
	}
	return told.about(name)
}

const (
	startAgain = "Go back to where you started, and start again. If that does not help, give your support the code below."
	newLink    = "Go back to where you got the link, and ask for a new one."
)

// explanations has one for every problem. A status is that of a page of its own.
var explanations = map[signin.Problem]explanation{
	signin.LinkInvalid: {
		http.StatusBadRequest, "This link does not work",
		"It is incomplete, or was changed on its way to you.",
		"Go back to where you got the link, and follow it from there. If you have copied it, copy all of it.",
	},
	signin.LinkDead: {
		http.StatusGone, "This link was used, or is too old",
		"A link works once, and only for a few minutes.",
		newLink,
	},
	signin.TargetNotAllowed: {
		http.StatusForbidden, "This link leads where it must not",
		"The page that you would be brought back to is not one that this account allows. Nothing was connected.",
		"Tell those who gave you the link. They can allow the page, or give you another link.",
	},
	signin.OtherBrowser: {
		http.StatusForbidden, "This is not where you started",
		"A sign-in must end in the browser that it began in, and that browser must keep cookies. Nothing was connected.",
		"Allow cookies for this page, and do not switch to a private window. " + newLink,
	},
	signin.StateUnknown: {
		http.StatusBadRequest, "This sign-in is over",
		"It is complete already, or took too long.",
		"Go back to where you started, and see whether the application is connected. If it is not, start again.",
	},
	signin.CrossSite: {
		http.StatusForbidden, "Open this page in a window of its own",
		"For your safety, a sign-in goes on only from its own page, and with cookies. Nothing was connected.",
		"Open the link in a new window. If that does not help, ask for a new link where you got this one.",
	},
	signin.TooMany: {
		http.StatusTooManyRequests, "Too many attempts",
		"There were too many attempts from your network.",
		"Wait a minute, and try again.",
	},
	signin.Unavailable: {
		http.StatusServiceUnavailable, "Not available for a moment",
		"The server cannot do this right now.",
		"Wait a minute, and reload this page. If you are told that the link was used, ask for a new one where you got it.",
	},
	signin.AccessDenied: {
		http.StatusForbidden, application + " was not connected",
		"You refused access, or " + application + " did not let you give it.",
		"If that is not what you wanted, start again and allow access. You may need the help of an administrator of " + application + ".",
	},
	signin.NotReady: {
		http.StatusConflict, application + " cannot be connected yet",
		"The connection is not set up, or is suspended.",
		"Ask those who gave you the link to look at the connection, and for a new link.",
	},
	signin.ProviderError: {
		http.StatusBadGateway, application + " was not connected",
		"The sign-in at " + application + " ended with an error.",
		startAgain,
	},
	signin.ExchangeFailed: {
		http.StatusBadGateway, application + " was not connected",
		"You have signed in, but " + application + " did not hand out access.",
		startAgain,
	},
	signin.Changed: {
		http.StatusConflict, application + " was not connected",
		"The connection was changed or deleted while you signed in.",
		"Go back to where you started, and start again if the connection is still there.",
	},
}
