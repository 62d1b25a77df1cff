// SPDX-License-Identifier: Apache-2.0

// Package pages is what a user sees of a sign-in: the page that says what it is about, the page that ends it, and those that say what
// went wrong and what to do.
//
// Accounts, users and applications are named by others, and are escaped wherever they stand. No page loads, sends or frames anything
// but what its policy names, and none holds a secret but the hidden fields of its own form.
package pages

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/claviger/claviger/internal/server/respond"
)

//go:embed templates
var templates embed.FS

// Site writes the pages of one server.
type Site struct {
	prefix    string
	templates map[string]*template.Template
}

// New makes the pages. prefix is the path that Assets is routed at, such as "/connectorauth/assets/".
func New(prefix string) *Site {
	site := &Site{prefix: strings.TrimSuffix(prefix, "/") + "/", templates: map[string]*template.Template{}}
	layout := template.Must(template.New("layout.html").Funcs(template.FuncMap{"asset": site.path}).ParseFS(templates, "templates/layout.html"))
	for _, name := range []string{offerPage, failurePage, completionPage} {
		site.templates[name] = template.Must(template.Must(layout.Clone()).ParseFS(templates, "templates/"+name))
	}
	return site
}

// document is a page before it is written.
type document struct {
	template string
	status   int
	policy   policy
	view     any
}

// write answers with a page. Opener windows are not cut off (Cross-Origin-Opener-Policy), because a page of the same window will
// have something to tell them.
func (s *Site) write(w http.ResponseWriter, r *http.Request, page document) {
	var body bytes.Buffer
	if err := s.templates[page.template].Execute(&body, page.view); err != nil {
		panic(err) // templates and views are our own
	}
	respond.NoStore(w)
	header := w.Header()
	header.Set("Content-Security-Policy", page.policy.String())
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	header.Set("Cross-Origin-Opener-Policy", "unsafe-none")
	header.Set("Permissions-Policy", "camera=(), display-capture=(), fullscreen=(), geolocation=(), microphone=(), midi=(), payment=(), usb=()")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Robots-Tag", "noindex")
	w.WriteHeader(page.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body.Bytes())
	}
}
