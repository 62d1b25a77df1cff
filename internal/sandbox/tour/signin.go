// SPDX-License-Identifier: Apache-2.0

package tour

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// signIn is what a user does: two pages, each with a button to press.
func (t *tour) signIn(ctx context.Context) error {
	b, err := newBrowser(t.shell)
	if err != nil {
		return err
	}
	shown, err := b.open(ctx, t.connection.link)
	if err != nil {
		return err
	}
	shown, err = b.press(ctx, shown)
	if err != nil {
		return err
	}
	if err := expect(strings.HasPrefix(shown.address.String(), t.place.ApplicationURL), "the button does not lead to the application"); err != nil {
		return err
	}
	shown, err = b.press(ctx, shown)
	if err != nil {
		return err
	}
	back := shown.address
	return expect(strings.HasPrefix(back.String(), t.connection.host.origin) && !back.Query().Has("error"), "the sign-in does not end at the platform's page")
}

// browser is as much of one as it takes: it keeps cookies, follows redirects, and posts forms. It runs no scripts.
type browser struct {
	shell  *shell
	client *http.Client
}

// shownPage is what a browser shows: its headline, and its form with the button that is pressed.
type shownPage struct {
	address  *url.URL
	headline string
	action   string
	fields   url.Values
	button   string
}

func newBrowser(s *shell) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("making a browser: %w", err)
	}
	b := &browser{shell: s, client: &http.Client{Jar: jar, Transport: &http.Transport{}}}
	b.client.CheckRedirect = func(request *http.Request, _ []*http.Request) error {
		b.shell.say("  redirected to %s\n", bare(request.URL))
		return nil
	}
	return b, nil
}

func (b *browser) open(ctx context.Context, address string) (shownPage, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return shownPage{}, errors.New("the link is no URL")
	}
	b.shell.say("Browser: opens the link\n")
	return b.show(request)
}

// press presses the first button of a page's form.
func (b *browser) press(ctx context.Context, on shownPage) (shownPage, error) {
	to, err := on.address.Parse(on.action)
	if err != nil || on.action == "" {
		return shownPage{}, fmt.Errorf("the page %q has no form", on.headline)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(on.fields.Encode()))
	if err != nil {
		return shownPage{}, fmt.Errorf("the form of %q leads nowhere", on.headline)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	b.shell.say("Browser: presses %q\n", on.button)
	return b.show(request)
}

func (b *browser) show(request *http.Request) (shownPage, error) {
	response, err := b.client.Do(request)
	if err != nil {
		return shownPage{}, errors.New(b.shell.redact(err.Error()))
	}
	defer response.Body.Close() //nolint:errcheck // read only
	page, err := readPage(response.Body)
	if err != nil {
		return shownPage{}, err
	}
	page.address = response.Request.URL
	b.shell.say("  %s shows %q\n", bare(page.address), page.headline)
	return page, expect(response.StatusCode == http.StatusOK, fmt.Sprintf("the page has status %d", response.StatusCode))
}

// bare is an address without its query, which holds secrets.
func bare(address *url.URL) string {
	return (&url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path}).String()
}

// readPage finds what a user would see and press.
func readPage(body io.Reader) (shownPage, error) {
	root, err := html.Parse(body)
	if err != nil {
		return shownPage{}, fmt.Errorf("reading a page: %w", err)
	}
	page := shownPage{fields: url.Values{}}
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		switch node.Data {
		case "h1":
			page.headline = textOf(node)
		case "form":
			page.action = attribute(node, "action")
		case "input":
			page.fields.Add(attribute(node, "name"), attribute(node, "value"))
		case "button":
			if page.button == "" {
				page.button = textOf(node)
				if name := attribute(node, "name"); name != "" {
					page.fields.Add(name, attribute(node, "value"))
				}
			}
		}
	}
	return page, nil
}

func attribute(node *html.Node, name string) string {
	for _, found := range node.Attr {
		if found.Key == name {
			return found.Val
		}
	}
	return ""
}

func textOf(node *html.Node) string {
	var text strings.Builder
	for below := range node.Descendants() {
		if below.Type == html.TextNode {
			text.WriteString(below.Data)
		}
	}
	return text.String()
}
