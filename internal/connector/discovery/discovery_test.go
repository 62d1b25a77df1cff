// SPDX-License-Identifier: Apache-2.0

package discovery_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/connector/discovery"
	"github.com/claviger/claviger/internal/egress"
)

const (
	oauthPlace  = "/.well-known/oauth-authorization-server"
	openIDPlace = "/.well-known/openid-configuration"
)

// publisher serves documents by their paths; HOST in them is its own URL. It notes what it was asked for.
type publisher struct {
	*httptest.Server
	documents map[string]string
	asked     []string
}

func publish(t *testing.T, documents map[string]string) *publisher {
	t.Helper()
	p := &publisher{documents: documents}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked = append(p.asked, r.URL.Path)
		document, there := p.documents[r.URL.Path]
		switch {
		case !there:
			w.WriteHeader(http.StatusNotFound)
		case document == "redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		default:
			_, _ = io.WriteString(w, strings.ReplaceAll(document, "HOST", p.URL))
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func client(allowHTTP bool) *discovery.Client {
	return &discovery.Client{AllowHTTP: allowHTTP, HTTP: egress.New(egress.Options{
		AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowHTTP: true, Timeout: 5 * time.Second,
	})}
}

const whole = `{"issuer":"HOST","authorization_endpoint":"HOST/authorize","token_endpoint":"HOST/token","revocation_endpoint":"HOST/revoke",
	"authorization_response_iss_parameter_supported":true,"jwks_uri":"HOST/jwks"}`

func TestDiscover(t *testing.T) {
	for _, row := range []struct {
		name string
		// path is that of the issuer.
		path      string
		documents map[string]string
		want      discovery.Endpoints
		asked     []string
	}{
		{
			name: "what an authorization server publishes", documents: map[string]string{oauthPlace: whole},
			want:  discovery.Endpoints{Authorization: "HOST/authorize", Token: "HOST/token", Revocation: "HOST/revoke", IssInAnswers: true},
			asked: []string{oauthPlace},
		},
		{
			name: "what an OpenID provider publishes, where there is nothing else", documents: map[string]string{openIDPlace: whole},
			want:  discovery.Endpoints{Authorization: "HOST/authorize", Token: "HOST/token", Revocation: "HOST/revoke", IssInAnswers: true},
			asked: []string{oauthPlace, openIDPlace},
		},
		{
			name: "the one that can be used", documents: map[string]string{oauthPlace: `{"issuer":"https://example.com"}`, openIDPlace: whole},
			want:  discovery.Endpoints{Authorization: "HOST/authorize", Token: "HOST/token", Revocation: "HOST/revoke", IssInAnswers: true},
			asked: []string{oauthPlace, openIDPlace},
		},
		{
			name: "behind the host, with the path of the issuer after it", path: "/tenant/1",
			documents: map[string]string{oauthPlace + "/tenant/1": `{"issuer":"HOST/tenant/1","token_endpoint":"HOST/token?tenant=1"}`},
			want:      discovery.Endpoints{Token: "HOST/token?tenant=1"}, asked: []string{oauthPlace + "/tenant/1"},
		},
		{
			name: "behind the path of the issuer", path: "/tenant/1/",
			documents: map[string]string{"/tenant/1" + openIDPlace: `{"issuer":"HOST/tenant/1/","token_endpoint":"HOST/token"}`},
			want:      discovery.Endpoints{Token: "HOST/token"}, asked: []string{oauthPlace + "/tenant/1", "/tenant/1" + openIDPlace},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := publish(t, row.documents)
			got, err := client(true).Discover(t.Context(), p.URL+row.path)
			if err != nil {
				t.Fatal(err)
			}
			own := func(text string) string { return strings.ReplaceAll(text, "HOST", p.URL) }
			want := discovery.Endpoints{
				Authorization: own(row.want.Authorization), Token: own(row.want.Token), Revocation: own(row.want.Revocation),
				IssInAnswers: row.want.IssInAnswers,
			}
			if got != want || !slices.Equal(p.asked, row.asked) {
				t.Errorf("got %+v, asked for %v", got, p.asked)
			}
		})
	}
}

// TestADocumentThatIsNotUsed: why, in our own words, and nothing of the document.
func TestADocumentThatIsNotUsed(t *testing.T) {
	const secret = "s3cret"
	for _, row := range []struct{ name, document, why string }{
		{"another issuer's", `{"issuer":"https://s3cret.example","token_endpoint":"HOST/token"}`, "the issuer in the document is another"},
		{"an issuer with a slash more", `{"issuer":"HOST/","token_endpoint":"HOST/token"}`, "the issuer in the document is another"},
		{"no issuer", `{"token_endpoint":"HOST/token"}`, "the issuer in the document is another"},
		{"no token endpoint", `{"issuer":"HOST","authorization_endpoint":"HOST/authorize"}`, "no token_endpoint"},
		{"no JSON", `s3cret`, "no JSON object"},
		{"an endpoint that is no text", `{"issuer":"HOST","token_endpoint":["HOST/token"]}`, "no JSON object"},
		{"a property in a URL", `{"issuer":"HOST","token_endpoint":"https://{s3cret}.example/token"}`, "token_endpoint is no URL"},
		{"a user in a URL", `{"issuer":"HOST","token_endpoint":"https://s3cret@example.com/token"}`, "token_endpoint is no URL"},
		{"a fragment in a URL", `{"issuer":"HOST","token_endpoint":"HOST/token","revocation_endpoint":"HOST/revoke#s3cret"}`, "revocation_endpoint is no URL"},
		{"another scheme", `{"issuer":"HOST","token_endpoint":"HOST/token","authorization_endpoint":"javascript:s3cret"}`, "authorization_endpoint is no URL"},
		{"a URL that is too long", `{"issuer":"HOST","token_endpoint":"HOST/` + strings.Repeat("s3cret", 400) + `"}`, "token_endpoint is no URL"},
		{"a redirect", "redirect", "status 302"},
		{"one that is too large", `{"issuer":"HOST","x":"` + strings.Repeat(secret, 100_000) + `"}`, "too large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := publish(t, map[string]string{oauthPlace: row.document})
			_, err := client(true).Discover(t.Context(), p.URL)
			if err == nil || !strings.Contains(err.Error(), row.why) || strings.Contains(err.Error(), secret) {
				t.Errorf("got %v", err)
			}
			if !slices.Equal(p.asked, []string{oauthPlace, openIDPlace}) {
				t.Errorf("asked for %v", p.asked)
			}
		})
	}
}

func TestHTTPIsForOperatorsToAllow(t *testing.T) {
	p := publish(t, map[string]string{oauthPlace: whole})
	if _, err := client(false).Discover(t.Context(), p.URL); err == nil || !strings.Contains(err.Error(), "is no URL that can be used") {
		t.Errorf("got %v", err)
	}
}

func TestAnIssuerThatIsAway(t *testing.T) {
	p := publish(t, nil)
	p.Close()
	_, err := client(true).Discover(t.Context(), p.URL)
	if err == nil || strings.Contains(err.Error(), "openid-configuration") {
		t.Errorf("it is the same host, so it is not asked again: %v", err)
	}
}

func TestAnIssuerThatIsNone(t *testing.T) {
	for _, issuer := range []string{"", "https://", "https://user@example.com", "https://example.com?x=1", "::"} {
		if _, err := client(true).Discover(t.Context(), issuer); err == nil {
			t.Errorf("%q is taken", issuer)
		}
	}
}

func TestAfter(t *testing.T) {
	for _, row := range []struct {
		name     string
		failures int
		spread   float64
		want     time.Duration
	}{
		{"once a day", 0, 0, 24 * time.Hour},
		{"a tenth sooner at most", 0, 1, 24*time.Hour - 144*time.Minute},
		{"soon after a failure", 1, 0, time.Minute},
		{"later after more of them", 3, 0, 4 * time.Minute},
		{"an hour later at most", 7, 0, time.Hour},
		{"however many there were", 1 << 30, 0, time.Hour},
	} {
		if got := discovery.After(row.failures, row.spread); got != row.want {
			t.Errorf("%s: got %s", row.name, got)
		}
	}
}
