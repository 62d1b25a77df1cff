// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"html"
	"net/http"
	"strings"

	"github.com/claviger/claviger/internal/oauth"
)

// pagePolicy lets a page load nothing, send nothing and be framed by nobody.
const pagePolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// AuthorizationError refuses an authorization request where there is nobody to send the user back to (RFC 6749 section
// 4.1.2.1): a page for a browser, JSON for everybody else. Neither holds a part of what was sent.
func AuthorizationError(w http.ResponseWriter, r *http.Request, failure *oauth.Error) {
	header := w.Header()
	header.Set("Vary", "Accept")
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	if !strings.Contains(strings.Join(r.Header.Values("Accept"), ","), "text/html") {
		JSON(w, http.StatusBadRequest, errorBody{Error: failure.Code, Description: failure.Description})
		return
	}
	NoStore(w)
	header.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write([]byte(page(failure)))
}

func page(failure *oauth.Error) string {
	return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>No sign-in here</title>
</head>
<body>
<h1>Nobody can sign in here</h1>
<p>An application has sent you here to authorize it. This server issues tokens to machines only: they present credentials of
their own, and no user takes part. You can close this page; nothing has been authorized.</p>
<p>For those who run the application: <code>` + html.EscapeString(failure.Code) + `</code>, ` + html.EscapeString(failure.Description) + `.</p>
</body>
</html>
`
}
