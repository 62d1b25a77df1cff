// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"net/url"
	"strings"
)

// policy is the Content-Security-Policy of a page: everything is forbidden but what stands here, and inline scripts and styles are
// among what is forbidden.
type policy struct {
	// script says that the page has one.
	script bool
	// forms are the sources that a form's request, and what it is redirected to, may go to; none without a form.
	forms []string
	// frames are the origins that may frame the page.
	frames []string
}

func (p policy) String() string {
	directives := []string{"default-src 'none'", "base-uri 'none'", "img-src data:", "style-src 'self'"}
	if p.script {
		directives = append(directives, "script-src 'self'")
	}
	return strings.Join(append(directives, sources("form-action", p.forms), sources("frame-ancestors", p.frames)), "; ")
}

func sources(directive string, list []string) string {
	if len(list) == 0 {
		list = []string{"'none'"}
	}
	return directive + " " + strings.Join(list, " ")
}

// origins keeps those that can stand in a policy. What is none would end a directive, or the header.
func origins(list []string) []string {
	var kept []string
	for _, origin := range list {
		parsed, err := url.Parse(origin)
		if err == nil && parsed.Host != "" && origin == parsed.Scheme+"://"+parsed.Host && !strings.ContainsAny(origin, " ,;'\"*") {
			kept = append(kept, origin)
		}
	}
	return kept
}
