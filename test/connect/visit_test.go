// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/server/connectapi"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/provider"
)

// consoleToken is a token of the host's backend.
func consoleToken() string { return tokens.TakeToken(console) }

// call makes a call of the host's backend.
func call(method, address, token, body string, headers ...string) harness.Answer {
	GinkgoHelper()
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return harness.Do(request)
}

// fields gives a JSON object as text.
func fields(pairs ...string) string {
	object := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		object[pairs[i]] = pairs[i+1]
	}
	text, err := json.Marshal(object)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

// askSignInToken asks a replica for a sign-in token for jane.
func (c *customer) askSignInToken(replica *harness.Connect, more ...string) (status int, token string) {
	GinkgoHelper()
	body := fields(append([]string{"Username", "jane"}, more...)...)
	answer := call(http.MethodPost, replica.URL+"/v1.0/accounts/"+c.name+"/signintoken", consoleToken(), body)
	return answer.Status, tokenIn(answer)
}

// tokenIn gives the sign-in token in an answer, which the ledger notes.
func tokenIn(answer harness.Answer) string {
	var given struct{ Token string }
	_ = json.Unmarshal([]byte(answer.Body), &given)
	plane.Ledger.Add(given.Token)
	return given.Token
}

// signInToken takes a sign-in token for jane, or for a Username in more.
func (c *customer) signInToken(more ...string) string {
	GinkgoHelper()
	status, token := c.askSignInToken(connect, more...)
	Expect(status).To(Equal(http.StatusOK))
	return token
}

// link gives a sign-in link that ends at the customer's target.
func (c *customer) link(more ...string) string {
	GinkgoHelper()
	return linkOf(c.id(), c.signInToken(), c.target, more...)
}

func linkOf(id, token, target string, more ...string) string {
	query := url.Values{"id": {id}, "token": {token}, "targetOrigin": {target}}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return connectapi.PathLink + "?" + query.Encode()
}

// visitor is a browser that follows no redirect by itself, and keeps cookies.
type visitor struct {
	*http.Client
	replica *harness.Connect
}

func newBrowser(replica *harness.Connect) *visitor {
	jar, err := cookiejar.New(nil)
	Expect(err).NotTo(HaveOccurred())
	return &visitor{replica: replica, Client: &http.Client{
		Timeout: time.Minute, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (b *visitor) do(request *http.Request) harness.Answer {
	GinkgoHelper()
	return harness.DoWith(b.Client, request)
}

// get goes to an address: absolute, or below the replica.
func (b *visitor) get(address string) harness.Answer {
	GinkgoHelper()
	if strings.HasPrefix(address, "/") {
		address = b.replica.URL + address
	}
	request, err := http.NewRequest(http.MethodGet, address, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	return b.do(request)
}

// post sends the form of a page.
func (b *visitor) post(form url.Values, headers ...string) harness.Answer {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodPost, b.replica.URL+connectapi.PathLink, strings.NewReader(form.Encode()))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", connect.URL)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return b.do(request)
}

// follow opens a link and presses its button. It gives the provider's authorization endpoint, with the request.
func (b *visitor) follow(link string) *url.URL {
	GinkgoHelper()
	page := b.get(link)
	Expect(page.Status).To(Equal(http.StatusOK), problemOn(page))
	answer := b.post(formOf(page.Body))
	Expect(answer.Status).To(Equal(http.StatusSeeOther), problemOn(answer))
	return location(answer)
}

// agree goes to the provider, which answers at once, and gives where it sends the browser.
func (b *visitor) agree(at *url.URL) *url.URL {
	GinkgoHelper()
	plane.Ledger.Add(at.Query().Get("state"))
	answer := b.get(at.String())
	Expect(answer.Status).To(Equal(http.StatusSeeOther), answer.Body)
	back := location(answer)
	plane.Ledger.Add(back.Query().Get("code"))
	return back
}

// back goes to the callback, on this browser's replica.
func (b *visitor) back(to *url.URL) harness.Answer {
	GinkgoHelper()
	return b.get(to.RequestURI())
}

// signIn does all of it, and gives where the browser is in the end.
func (b *visitor) signIn(link string) *url.URL {
	GinkgoHelper()
	answer := b.back(b.agree(b.follow(link)))
	Expect(answer.Status).To(Equal(http.StatusSeeOther), problemOn(answer))
	return location(answer)
}

// expectHost sees that a sign-in went well, and has ended at the host's page.
func expectHost(end *url.URL) {
	GinkgoHelper()
	Expect(end.String() == hostPage).To(BeTrue(), "it ends at %s with error %q", end.Host+end.Path, end.Query().Get("error"))
}

func location(answer harness.Answer) *url.URL {
	GinkgoHelper()
	to, err := url.Parse(answer.Header.Get("Location"))
	Expect(err).NotTo(HaveOccurred())
	return to
}

// formOf gives the fields of a page's form.
func formOf(page string) url.Values {
	form := url.Values{}
	each(page, "input", func(attributes map[string]string) { form.Set(attributes["name"], attributes["value"]) })
	return form
}

// each goes through the elements of a page of that name.
func each(page, element string, visit func(map[string]string)) {
	GinkgoHelper()
	root, err := html.Parse(strings.NewReader(page))
	Expect(err).NotTo(HaveOccurred())
	for node := range root.Descendants() {
		if node.Type != html.ElementNode || node.Data != element {
			continue
		}
		attributes := map[string]string{}
		for _, attribute := range node.Attr {
			attributes[attribute.Key] = attribute.Val
		}
		visit(attributes)
	}
}

// problemOn gives the code that an error page shows for support.
func problemOn(answer harness.Answer) string {
	_, after, _ := strings.Cut(answer.Body, "<code>")
	code, _, _ := strings.Cut(after, "</code>")
	return code
}

// exchanges counts the requests for tokens that the provider had.
func exchanges(of *provider.Provider) int { return requestsTo(of, provider.PathToken) }

func revocations(of *provider.Provider) int { return requestsTo(of, provider.PathRevoke) }

func requestsTo(of *provider.Provider, path string) int {
	count := 0
	for _, request := range of.Requests() {
		if request.Path == path {
			count++
		}
	}
	return count
}

// queryOf gives the parameters of a link.
func queryOf(link string) url.Values {
	GinkgoHelper()
	parsed, err := url.Parse(link)
	Expect(err).NotTo(HaveOccurred())
	return parsed.Query()
}

// expectNowhere sees that an answer sends the browser nowhere.
func expectNowhere(answer harness.Answer) {
	GinkgoHelper()
	Expect(answer.Header.Get("Location") == "").To(BeTrue(), "it sends the browser somewhere")
}

// named reports whether a page has a word in its text.
func named(page, word string) bool {
	GinkgoHelper()
	root, err := html.Parse(strings.NewReader(page))
	Expect(err).NotTo(HaveOccurred())
	for node := range root.Descendants() {
		if node.Type == html.TextNode && strings.Contains(node.Data, word) {
			return true
		}
	}
	return false
}
