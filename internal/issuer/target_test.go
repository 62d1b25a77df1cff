// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/builder"
)

// TestTargets: what a request names, and what its token is for (RFC 8707 section 2). An empty want is invalid_target.
func TestTargets(t *testing.T) {
	const other = "https://other.acme.example/"
	acme := builder.OfAccount("acme")
	for _, row := range []struct {
		name   string
		client string
		asked  []string
		happen func(*world)
		want   []string
	}{
		{name: "no resource is the issuer", client: "acme.all", want: []string{issuerURL}},
		{name: "one of the account's", client: "acme.all", asked: []string{hookURL}, want: []string{hookURL}},
		{name: "aud spells it as the object does", client: "acme.all", asked: []string{"HTTPS://mcp.ACME.example:443/strict"}, want: []string{strictURL}},
		{name: "an empty path is a slash", client: "beta.orders", asked: []string{"https://hooks.beta.example/"}, want: []string{betaURL}},
		{name: "two, in their order", client: "acme.all", asked: []string{toolsURL, hookURL}, want: []string{toolsURL, hookURL}},
		{name: "one twice is one", client: "acme.all", asked: []string{toolsURL, toolsURL}, want: []string{toolsURL}},
		{name: "though the scope would not do there", client: "acme.orders", asked: []string{toolsURL}, want: []string{toolsURL}},
		{name: "the API for the console", client: "platform.console", asked: []string{apiURL}, want: []string{apiURL}},
		{name: "a client that names one", client: "acme.tied", want: []string{toolsURL}},
		{name: "and asks for it", client: "acme.tied", asked: []string{toolsURL}, want: []string{toolsURL}},

		{name: "one that nobody registered", client: "acme.all", asked: []string{"https://nobody.example/"}},
		{name: "one of two that nobody registered", client: "acme.all", asked: []string{toolsURL, "https://nobody.example/"}},
		{name: "another account's", client: "acme.all", asked: []string{betaURL}},
		{name: "the API for an account", client: "acme.all", asked: []string{apiURL}},
		{name: "an account's for the console", client: "platform.console", asked: []string{toolsURL}},
		{name: "one that the client does not name", client: "acme.tied", asked: []string{hookURL}},
		{name: "the issuer is none", client: "acme.all", asked: []string{issuerURL}},
		{name: "its name is no URL", client: "acme.all", asked: []string{"acme/tools"}},
		{name: "a fragment", client: "acme.all", asked: []string{toolsURL + "#x"}},
		{name: "another path", client: "acme.all", asked: []string{toolsURL + "/"}},
		{
			name: "a suspended one", client: "acme.all", asked: []string{hookURL},
			happen: func(w *world) { w.resource("acme", "hook", hookURL, acme, builder.Suspended()) },
		},
		{
			name: "one whose URL an older one has", client: "beta.orders", asked: []string{betaURL},
			happen: func(w *world) { w.resource("acme", "elder", betaURL, acme, builder.CreatedAt(noon.Add(-time.Hour))) },
		},
		{
			name: "one in a namespace that the account does not allow", client: "acme.all", asked: []string{other},
			happen: func(w *world) { w.resource("beta", "stray", other, acme) },
		},
		{
			name: "of what a client names, what there is", client: "acme.tied", want: []string{toolsURL, hookURL},
			happen: func(w *world) {
				w.credential("acme", "tied", builder.ForAccount("acme"),
					builder.ForResources("https://nobody.example/", "https://MCP.acme.example/mcp", betaURL, hookURL, toolsURL))
			},
		},
		{
			name: "a client that names only what there is not", client: "acme.tied",
			happen: func(w *world) {
				w.credential("acme", "tied", builder.ForAccount("acme"), builder.ForResources("https://nobody.example/", betaURL))
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newResourceWorld(t)
			if row.happen != nil {
				row.happen(w)
			}
			wanted := request(row.client)
			wanted.Resources = row.asked
			grant, err := w.Issue(wanted)
			if row.want == nil {
				if codeOf(err) != oauth.CodeInvalidTarget || grant.AccessToken != "" || grant.ClientID != row.client {
					t.Errorf("got %+v, %v", grant, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := w.claims(t, grant.AccessToken).Audience; !slices.Equal(got, row.want) || !slices.Equal(grant.Audience, row.want) {
				t.Errorf("got %q, and %q in the grant", got, grant.Audience)
			}
		})
	}
}

// TestTargetsAfterTheClient: an answer about resources is for those who have proved who they are.
func TestTargetsAfterTheClient(t *testing.T) {
	w := newResourceWorld(t)
	for _, url := range []string{hookURL, "https://nobody.example/"} {
		if _, err := w.Issue(oauth.TokenRequest{Client: presented("acme.orders", "x"), Resources: []string{url}}); codeOf(err) != oauth.CodeInvalidClient {
			t.Errorf("the resource was judged before the client: %v", err)
		}
	}
}

// TestTokensThatNobodyCouldPresent: a bearer token has a bound, so one that would be longer is not issued.
func TestTokensThatNobodyCouldPresent(t *testing.T) {
	w := newResourceWorld(t)
	var urls []string
	for i := range 8 {
		urls = append(urls, "https://mcp.acme.example/"+strings.Repeat(string(rune('a'+i)), 1000))
		w.resource("acme", string(rune('a'+i)), urls[i], builder.OfAccount("acme"))
	}
	if got := w.issueFor(t, "acme.orders", urls[:5]...); len(got.AccessToken) > oauth.MaxBearerLength {
		t.Errorf("got a token of %d bytes", len(got.AccessToken))
	}
	wanted := request("acme.orders")
	wanted.Resources = urls
	if grant, err := w.Issue(wanted); codeOf(err) != oauth.CodeInvalidTarget || grant.AccessToken != "" {
		t.Errorf("got %d bytes, %v", len(grant.AccessToken), err)
	}
}
