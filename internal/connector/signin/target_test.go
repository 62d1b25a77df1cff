// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/idna"
)

// accepted are targets that a sign-in may end at where their origin is allowed.
var accepted = []struct{ name, target, message, origin, host string }{
	{"a page", "https://app.example.com/done?tab=crm#top", "", "https://app.example.com", "app.example.com"},
	{"an origin", "https://app.example.com", "", "https://app.example.com", "app.example.com"},
	{"an origin that is told", "https://app.example.com", "done", "https://app.example.com", "app.example.com"},
	{"an origin with a slash that is told", "https://app.example.com/", "done", "https://app.example.com", "app.example.com"},
	{"a port", "https://app.example.com:8443/", "", "https://app.example.com:8443", "app.example.com"},
	{"the scheme's own port", "https://app.example.com:443/", "", "https://app.example.com", "app.example.com"},
	{"the scheme's own port, by http", "http://localhost:80/", "", "http://localhost", "localhost"},
	{"another scheme's own port", "https://app.example.com:80/", "", "https://app.example.com:80", "app.example.com"},
	{"no port behind a colon", "https://app.example.com:/", "", "https://app.example.com", "app.example.com"},
	{"capital letters", "HTTPS://App.Example.COM/Done", "", "https://app.example.com", "App.Example.COM"},
	{"an address", "http://127.0.0.1:8765", "", "http://127.0.0.1:8765", "127.0.0.1"},
	{"a dot at the end, which is another origin", "https://app.example.com./", "", "https://app.example.com.", "app.example.com."},
	{"an at sign in the path", "https://app.example.com/@evil.example", "", "https://app.example.com", "app.example.com"},
	{"a parameter that is not quite ours", "https://app.example.com/?error_code=1&q=code", "", "https://app.example.com", "app.example.com"},
	{"another URL in the query", "https://app.example.com/?to=https://evil.example", "", "https://app.example.com", "app.example.com"},
}

// refused are targets that no sign-in ends at, whatever is allowed.
var refused = []struct{ name, target, message string }{
	{"nothing", "", ""},
	{"a word", "app", ""},
	{"a path", "/done", ""},
	{"a host without a scheme", "//evil.example", ""},
	{"a scheme without a host", "https:///evil.example", ""},
	{"a scheme without slashes", "https:evil.example", ""},
	{"a port without a host", "https://:443/", ""},
	{"a script", "javascript:alert(1)", ""},
	{"data", "data:text/html,<script>alert(1)</script>", ""},
	{"a file", "file:///etc/passwd", ""},
	{"a user", "https://app.example.com@evil.example/", ""},
	{"a user and a password", "https://app.example.com:443@evil.example/", ""},
	{"an empty user", "https://@app.example.com/", ""},
	{"a backslash", `https://evil.example\@app.example.com/`, ""},
	{"backslashes for slashes", `https:\\evil.example`, ""},
	{"a blank before it", " https://app.example.com/", ""},
	{"a blank within", "https://app.example.com/a b", ""},
	{"a tab in the host", "https://app.exam\tple.com/", ""},
	{"a line break", "https://app.example.com/\r\nSet-Cookie: a=b", ""},
	{"a NUL", "https://app.example.com/\x00", ""},
	{"a DEL", "https://app.example.com/\x7f", ""},
	{"a port that is none", "https://app.example.com:port/", ""},
	{"a port with a nought before it", "https://app.example.com:0443/", ""},
	{"a host that is escaped", "https://app%2Eexample.com/", ""},
	{"a letter that Go takes for an i in small and browsers do not", "https://acme-b\u0130lling.com/", ""},
	{"the same, escaped", "https://acme-b%C4%B0lling.com/", ""},
	{"a sign that is a letter to both", "https://a\u212Aey.example/", ""},
	{"letters that are wide", "https://\uFF41pp.example.com/", ""},
	{"a dot that is none", "https://app\u3002example.com/", ""},
	{"a name that is not of ASCII: write it as xn--", "https://b\u00FCcher.example/", ""},
	{"an address in brackets, which no allowed origin has", "http://[::1]:8080/", ""},
	{"a zone", "http://[fe80::1%25eth0]/", ""},
	{"a code of somebody else's", "https://app.example.com/done?a=b&code=x", ""},
	{"an error that is none", "https://app.example.com/done?error=access_denied", ""},
	{"a description that is none", "https://app.example.com/done?error_description", ""},
	{"a code, escaped", "https://app.example.com/done?c%6Fde=x", ""},
	{"a code behind a semicolon", "https://app.example.com/done?a=b;code=x", ""},
	{"more than there may be", "https://app.example.com/" + strings.Repeat("a", maxTarget), ""},
	{"a page that is told", "https://app.example.com/done", "done"},
	{"a query that is told", "https://app.example.com/?a=b", "done"},
	{"a fragment that is told", "https://app.example.com/#a", "done"},
	{"capital letters that are told, where the origin is meant exactly", "https://App.example.com", "done"},
	{"a message of more than there may be", "https://app.example.com", strings.Repeat("a", maxMessage+1)},
}

func TestParseTarget(t *testing.T) {
	for _, row := range accepted {
		t.Run(row.name, func(t *testing.T) {
			target, err := ParseTarget(row.target, row.message)
			if err != nil {
				t.Fatal(err)
			}
			if target.Origin() != row.origin || target.Host() != row.host || target.Posts() != (row.message != "") {
				t.Errorf("got origin %q, host %q, posts: %v", target.Origin(), target.Host(), target.Posts())
			}
			if origin, goes := browserOrigin(target.With(nil)); !goes || origin != row.origin {
				t.Errorf("a browser is at %q, %v", origin, goes)
			}
		})
	}
	for _, row := range refused {
		t.Run(row.name, func(t *testing.T) {
			if target, err := ParseTarget(row.target, row.message); !errors.Is(err, LinkInvalid) {
				t.Errorf("got %v, %v", target, err)
			}
		})
	}
}

func TestTargetWith(t *testing.T) {
	for _, row := range []struct{ name, target, want string }{
		{"a page", "https://app.example.com/done", "https://app.example.com/done?error=a+b"},
		{"a page with a query, which is kept as it is", "https://app.example.com/done?b=%20&a", "https://app.example.com/done?b=%20&a&error=a+b"},
		{"a page with a fragment, which stays at the end", "https://app.example.com/#done", "https://app.example.com/?error=a+b#done"},
		{"an origin", "https://app.example.com", "https://app.example.com?error=a+b"},
	} {
		t.Run(row.name, func(t *testing.T) {
			target, err := ParseTarget(row.target, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := target.With(nil); got != row.target {
				t.Errorf("got %q with nothing", got)
			}
			if got := target.With(url.Values{"error": {"a b"}}); got != row.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

// FuzzParseTarget: wherever a target is taken, a browser that is sent there is at the origin that was compared with those that are
// allowed, whatever is added to the query. A browser that goes nowhere does no harm.
func FuzzParseTarget(f *testing.F) {
	for _, row := range accepted {
		f.Add(row.target)
	}
	for _, row := range refused {
		f.Add(row.target)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := ParseTarget(text, "")
		if err != nil {
			return
		}
		for _, to := range []string{target.With(nil), target.With(url.Values{toldForTest: {"://@evil.example"}})} {
			if origin, goes := browserOrigin(to); goes && origin != target.Origin() {
				t.Errorf("%q: the origin is %q, and a browser that is sent to %q is at %q", text, target.Origin(), to, origin)
			}
		}
		if told, err := ParseTarget(target.Origin(), "done"); err != nil || told.Origin() != target.Origin() {
			t.Errorf("%q: its origin %q is none: %v", text, target.Origin(), err)
		}
	})
}

const toldForTest = "error"

// browserOrigin reads the origin of a URL as browsers do (WHATWG URL, "URL parsing", as far as http and https go), and reports whether a
// browser would go there at all. It shares nothing with net/url.
func browserOrigin(text string) (string, bool) {
	text = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.TrimFunc(text, func(c rune) bool { return c <= ' ' }))
	scheme, rest, found := strings.Cut(text, ":")
	scheme = asciiLower(scheme)
	if !found || scheme != "https" && scheme != "http" {
		return "", false
	}
	authority := strings.TrimLeft(rest, `/\`)
	if end := strings.IndexAny(authority, `/\?#`); end >= 0 {
		authority = authority[:end]
	}
	host := authority[strings.LastIndex(authority, "@")+1:]
	port := ""
	if colon := strings.LastIndex(host, ":"); colon > strings.LastIndex(host, "]") {
		host, port = host[:colon], host[colon+1:]
	}
	port, portOK := browserPort(scheme, port)
	host, hostOK := browserHost(host)
	return scheme + "://" + host + port, portOK && hostOK
}

func browserPort(scheme, port string) (string, bool) {
	if port == "" {
		return "", true
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", false
	}
	if scheme == "https" && number == 443 || scheme == "http" && number == 80 {
		return "", true
	}
	return ":" + strconv.FormatUint(number, 10), true
}

var browserNames = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.VerifyDNSLength(false), idna.CheckHyphens(false))

// browserHost reads a host. One that ends in a number is an address in one of its many forms; only the usual one is read here, because
// others are never the origin of a page.
func browserHost(host string) (string, bool) {
	decoded, err := url.PathUnescape(host)
	if err != nil || strings.HasPrefix(decoded, "[") {
		return "", false
	}
	name, err := browserNames.ToASCII(decoded)
	if err != nil || name == "" || strings.ContainsAny(name, "\x00\t\n\r #%/:<>?@[\\]^|") {
		return "", false
	}
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	if last := labels[len(labels)-1]; last != "" && last[0] >= '0' && last[0] <= '9' {
		_, err := netip.ParseAddr(name)
		return name, err == nil
	}
	return name, true
}

func asciiLower(text string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, text)
}
