// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/server/connectapi/pages"
)

// TestHostileNames holds every page that is made with hostile names against the same page with harmless ones: the text may differ, the
// elements and the names of their attributes may not.
func TestHostileNames(t *testing.T) {
	made := func(name string) map[string]page {
		message, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		return map[string]page{
			"offer": anOffer(offer(func(o *pages.Offer) {
				o.Application, o.Account, o.User, o.Return = name, name, name, name
				o.Fields = map[string]string{"callbackMessage": name, "token": name}
			})),
			"failure": aFailure(pages.Failure{Problem: signin.ProviderError, Application: name}),
			"completion": aCompletion(completion(func(c *pages.Completion) {
				c.Application, c.Message, c.Target = name, message, "https://app.acme.example"
			})),
			"failed completion": aCompletion(completion(func(c *pages.Completion) {
				c.Application, c.Message, c.Problem, c.Target = name, message, signin.ProviderError, name
			})),
		}
	}
	harmless := made("harmless")
	for _, name := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' autofocus onfocus='alert(1)`, `</title><script src=//evil.example>`,
		`</dd></dl><form action=https://evil.example>`, `javascript:alert(1)`, `{{.Account}}`, `<!-- `, `]]>`, `&lt;b&gt;`, "a\x00b", "\xff\xfe",
		"line\nbreak", "`${alert(1)}`", `</bdi><h1>Paid</h1>`,
	} {
		for kind, hostile := range made(name) {
			if got, want := shape(write(http.MethodGet, hostile).Body), shape(write(http.MethodGet, harmless[kind]).Body); !slices.Equal(got, want) {
				t.Errorf("%s, %q: the page's elements are\n%s\nwant\n%s", kind, name, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}

// shape is the elements of a page with the names of their attributes.
func shape(page io.Reader) []string {
	var found []string
	for tokens := html.NewTokenizer(page); tokens.Next() != html.ErrorToken; {
		token := tokens.Token()
		if token.Type == html.TextToken || token.Type == html.CommentToken {
			continue
		}
		element := token.Type.String() + " " + token.Data
		for _, attribute := range token.Attr {
			element += " " + attribute.Key
		}
		found = append(found, element)
	}
	return found
}

func TestNamesThatRewriteText(t *testing.T) {
	for _, row := range []struct{ name, account, want string }{
		{"a change of direction is left out", "evil\u202e" + "dtl emca\u202c", "evildtl emca"},
		{"so are isolates and marks", "\u2066a\u2069\u200f", "a"},
		{"a break is a space", "a\nb\u2028c", "a b c"},
		{"what joins letters stays", "ن\u200cما", "ن\u200cما"},
		{"what is too long is cut", strings.Repeat("ä", 300), strings.Repeat("ä", 200) + "…"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := write(http.MethodGet, anOffer(offer(func(o *pages.Offer) { o.Account = row.account }))).Body.String()
			if !strings.Contains(got, "<dd><bdi>"+row.want+"</bdi></dd>") {
				t.Errorf("the page is\n%s", got)
			}
		})
	}
}

// TestMessage proves that the script reads what the caller wrote, to the byte.
func TestMessage(t *testing.T) {
	for _, message := range []string{`"done"`, `{"a":"\u003c/div>'\"&amp;","b":[1,null]}`, `""`} {
		got := write(http.MethodGet, aCompletion(completion(func(c *pages.Completion) { c.Message = json.RawMessage(message) })))
		found := attributes(got.Body, "data-message")
		if !slices.Equal(found, []string{message}) {
			t.Errorf("got %q, want %q", found, message)
		}
	}
}

// attributes are the values of every attribute of a name.
func attributes(page io.Reader, name string) []string {
	var found []string
	for tokens := html.NewTokenizer(page); tokens.Next() != html.ErrorToken; {
		for _, attribute := range tokens.Token().Attr {
			if attribute.Key == name {
				found = append(found, attribute.Val)
			}
		}
	}
	return found
}
