// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"cmp"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/endpoints"
	"sigs.k8s.io/yaml"

	"github.com/claviger/claviger/api/v1alpha1"
)

const (
	connectors    = "connectors"
	kustomization = "kustomization.yaml"
	connectorPage = "connectors/README.md"
	// enough is how many applications the library has at least: fewer, and files went missing.
	enough = 60
)

var updateConnectors = flag.Bool("update", false, "write config/connectors/README.md anew")

// entry is one file of the library: as it is written, for its comments, and as what it says.
type entry struct {
	text      string
	connector v1alpha1.Connector
}

// library reads every Connector in config/connectors by the name of its file, and refuses fields that the type does not have.
func library(t *testing.T) map[string]entry {
	t.Helper()
	root := os.DirFS(connectors)
	files, err := fs.Glob(root, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]entry{}
	for _, file := range files {
		if file == kustomization {
			continue
		}
		text, err := fs.ReadFile(root, file)
		if err != nil {
			t.Fatal(err)
		}
		e := entry{text: string(text)}
		if err := yaml.UnmarshalStrict(text, &e.connector); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		found[strings.TrimSuffix(file, ".yaml")] = e
	}
	if len(found) < enough {
		t.Fatalf("got %d connectors, want at least %d", len(found), enough)
	}
	return found
}

func TestConnectorsAreNamedLikeTheirFiles(t *testing.T) {
	for file, e := range library(t) {
		if got, want := e.connector.APIVersion, v1alpha1.GroupVersion.String(); got != want {
			t.Errorf("%s: apiVersion %s, want %s", file, got, want)
		}
		if e.connector.Kind != "Connector" || e.connector.Name != file {
			t.Errorf("%s: it is %s %s", file, e.connector.Kind, e.connector.Name)
		}
	}
}

// TestConnectorsCanHaveASharedClient: the README says how, and the schema asks for bounds of what decides who is shown its secret.
func TestConnectorsCanHaveASharedClient(t *testing.T) {
	for file, e := range library(t) {
		for _, property := range e.connector.Spec.Properties {
			decides := strings.Contains(string(e.connector.Spec.TokenURL+e.connector.Spec.RevocationURL), "{"+string(property.Name)+"}")
			if decides && property.Pattern == "" && len(property.Values) == 0 {
				t.Errorf("%s: property %s has neither pattern nor values", file, property.Name)
			}
		}
	}
}

// TestKustomizationHasEveryConnector: kubectl apply -k installs all that is there, and nothing else.
func TestKustomizationHasEveryConnector(t *testing.T) {
	text, err := fs.ReadFile(os.DirFS(connectors), kustomization)
	if err != nil {
		t.Fatal(err)
	}
	var listed struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Resources  []string `json:"resources"`
	}
	if err := yaml.UnmarshalStrict(text, &listed); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, file := range slices.Sorted(maps.Keys(library(t))) {
		want = append(want, file+".yaml")
	}
	if !slices.Equal(listed.Resources, want) {
		t.Errorf("%s lists\n%q, want\n%q", kustomization, listed.Resources, want)
	}
}

// TestConnectorsSayTheirSource: what stands in an entry comes from somewhere, and whoever corrects it must find where.
func TestConnectorsSayTheirSource(t *testing.T) {
	const license = "# SPDX-License-Identifier: Apache-2.0\n"
	for file, e := range library(t) {
		rest, licensed := strings.CutPrefix(e.text, license)
		if !licensed {
			t.Errorf("%s does not begin with %q", file, license)
		}
		line, _, _ := strings.Cut(rest, "\n")
		source, said := strings.CutPrefix(line, "# Source: ")
		if address, err := url.Parse(source); !said || err != nil || address.Scheme != "https" || address.Host == "" {
			t.Errorf("%s: the second line must be # Source: and an https URL, not %q", file, line)
		}
		if source != e.connector.Spec.DocumentationURL {
			t.Errorf("%s: documentationURL %s, want the source, %s", file, e.connector.Spec.DocumentationURL, source)
		}
	}
}

var placeholder = regexp.MustCompile(`\{([A-Za-z0-9]*)\}`)

// TestConnectorURLs: they are https, and have no other placeholders than the properties, each of which is in one of them.
func TestConnectorURLs(t *testing.T) {
	for file, e := range library(t) {
		spec := e.connector.Spec
		unused := map[string]bool{}
		for _, property := range spec.Properties {
			unused[string(property.Name)] = true
		}
		known := maps.Clone(unused)
		for _, template := range []v1alpha1.ConnectorURL{spec.Issuer, spec.AuthorizationURL, spec.TokenURL, spec.RevocationURL} {
			if template == "" {
				continue
			}
			for _, match := range placeholder.FindAllStringSubmatch(string(template), -1) {
				if !known[match[1]] {
					t.Errorf("%s: %s has a placeholder that is not one of its properties", file, template)
				}
				delete(unused, match[1])
			}
			address, err := url.Parse(filled(template))
			if err != nil || address.Scheme != "https" || address.Host == "" || address.User != nil || address.Fragment != "" {
				t.Errorf("%s: %s is no https URL (%v)", file, template, err)
			}
		}
		for property := range unused {
			t.Errorf("%s: no URL has {%s}", file, property)
		}
	}
}

// filled is a URL with the name of every property as its value.
func filled(template v1alpha1.ConnectorURL) string {
	return placeholder.ReplaceAllString(string(template), "$1")
}

// TestConnectorRefresh: grace and only grace has a length.
func TestConnectorRefresh(t *testing.T) {
	for file, e := range library(t) {
		refresh := e.connector.Spec.Refresh
		if grace := refresh.Rotation == v1alpha1.RotationGrace; grace != (refresh.ReuseGrace != nil) {
			t.Errorf("%s: rotation %q with reuseGrace %v", file, refresh.Rotation, refresh.ReuseGrace)
		}
	}
}

// known are the endpoints that golang.org/x/oauth2 has of applications in the library.
func known() map[string]oauth2.Endpoint {
	return map[string]oauth2.Endpoint{
		"amazon":        endpoints.Amazon,
		"asana":         endpoints.Asana,
		"bitbucket":     endpoints.Bitbucket,
		"cognito":       endpoints.AWSCognito("https://Domain.auth.Region.amazoncognito.com"),
		"discord":       endpoints.Discord,
		"dropbox":       endpoints.Dropbox,
		"github":        endpoints.GitHub,
		"gitlab":        endpoints.GitLab,
		"google":        endpoints.Google,
		"heroku":        endpoints.Heroku,
		"kakao":         endpoints.KaKao,
		"line":          endpoints.Line,
		"linkedin":      endpoints.LinkedIn,
		"mailchimp":     endpoints.Mailchimp,
		"microsoft":     endpoints.AzureAD("Tenant"),
		"openstreetmap": endpoints.OpenStreetMap,
		"patreon":       endpoints.Patreon,
		"paypal":        endpoints.PayPal,
		"pinterest":     endpoints.Pinterest,
		"pipedrive":     endpoints.Pipedrive,
		"shopify":       endpoints.Shopify("Shop.myshopify.com"),
		"slack":         endpoints.Slack,
		"spotify":       endpoints.Spotify,
		"strava":        endpoints.Strava,
		"twitch":        endpoints.Twitch,
		"withings":      endpoints.Withings,
		"x":             endpoints.X,
		"yahoo":         endpoints.Yahoo,
		"yandex":        endpoints.Yandex,
		"zoom":          endpoints.Zoom,
	}
}

// divergences say why an entry is otherwise than golang.org/x/oauth2 has it.
func divergences() map[string]string {
	return map[string]string{
		"google":   "Google documents the authorization endpoint as /o/oauth2/v2/auth, as its discovery document does",
		"paypal":   "PayPal documents /signin/authorize and /v1/oauth2/token, and no longer the Identity endpoints",
		"withings": "Withings shut the token endpoint of x/oauth2 down in 2022",
	}
}

// TestConnectorsAgreeWithOAuth2 holds the library to what others use every day.
func TestConnectorsAgreeWithOAuth2(t *testing.T) {
	all := library(t)
	reasons := divergences()
	styles := map[oauth2.AuthStyle]v1alpha1.AuthStyle{
		oauth2.AuthStyleInHeader: v1alpha1.AuthStyleBasic,
		oauth2.AuthStyleInParams: v1alpha1.AuthStylePost,
	}
	for name, endpoint := range known() {
		e, ok := all[name]
		if !ok {
			t.Errorf("there is no %s", name)
			continue
		}
		spec := e.connector.Spec
		// x/oauth2 detects the style of most by trying, which says nothing.
		style := cmp.Or(styles[endpoint.AuthStyle], spec.AuthStyle)
		agrees := filled(spec.AuthorizationURL) == endpoint.AuthURL && filled(spec.TokenURL) == endpoint.TokenURL && style == spec.AuthStyle
		if _, listed := reasons[name]; agrees == listed {
			t.Errorf("%s: got %s, %s and %s, x/oauth2 has %+v, and a reason to diverge is listed: %t",
				name, spec.AuthorizationURL, spec.TokenURL, spec.AuthStyle, endpoint, listed)
		}
	}
}

// TestConnectorPage holds config/connectors/README.md to the files.
func TestConnectorPage(t *testing.T) {
	want := libraryPage(library(t))
	if *updateConnectors {
		if err := os.WriteFile(connectorPage, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(connectorPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the files make: go test ./config -run TestConnectorPage -args -update", connectorPage)
	}
}

func libraryPage(entries map[string]entry) string {
	var b strings.Builder
	b.WriteString(`# Connectors

<!-- Made from the files beside it by go test ./config -run TestConnectorPage -args -update. Change the text in config/connectors_test.go. -->

A library of applications: what each one's OAuth endpoints are, and how its refresh tokens behave, as a Connector. No entry has an app
registration: client is Account, so each account brings its own, in its properties ClientId and ClientSecret. To use one registration for
all, set client: Shared (or Either) and clientSecretRef in your copy.

` + "```sh\nkubectl apply -k config/connectors             # all\nkubectl apply -f config/connectors/github.yaml # one\n```" + `

**Rotation** is what becomes of a refresh token that was used: None, it goes on working; Grace, it works for that much longer; Strict, it
is replaced at once, and using it again ends the grant, or may; Unknown, the application does not say, or leaves it to a setting. **PKCE** None means that no code challenge is sent.

To correct an entry, change its file. Say where each behaviour is documented, in a comment above the field, and leave out what is
documented nowhere: Unknown is safe, a guess is not. Then make this page anew, with the command in its source.

| name | application | rotation | PKCE | source |
|---|---|---|---|---|
`)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		spec := entries[name].connector.Spec
		source, _ := url.Parse(spec.DocumentationURL) // an error is TestConnectorsSayTheirSource's
		fmt.Fprintf(&b, "| [%s](%s.yaml) | %s | %s | %s | [%s](%s) |\n", name, name, spec.DisplayName, rotation(spec.Refresh),
			cmp.Or(spec.PKCE, v1alpha1.PKCES256), source.Hostname(), spec.DocumentationURL)
	}
	return b.String()
}

// rotation is how an entry rotates, for people.
func rotation(refresh v1alpha1.ConnectorRefresh) string {
	text := string(cmp.Or(refresh.Rotation, v1alpha1.RotationUnknown))
	switch grace := refresh.ReuseGrace; {
	case grace == nil:
		return text
	case grace.Duration%time.Hour == 0:
		return fmt.Sprintf("%s, %dh", text, grace.Duration/time.Hour)
	default:
		return fmt.Sprintf("%s, %s", text, strings.TrimSuffix(grace.Duration.String(), "0s"))
	}
}
