// SPDX-License-Identifier: Apache-2.0

package setup_test

import (
	"crypto/elliptic"
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector/setup"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

// situation is what is resolved: each row changes something about a connection with a client of its own.
type situation struct {
	library    *v1alpha1.Connector
	scopes     []v1alpha1.ProviderScope
	properties map[string]string
	shared     setup.Registration
	sharedErr  error
	asked      bool
}

func (s *situation) resolve() (setup.Setup, error) {
	return setup.Resolve(s.library, s.scopes, s.properties, func() (setup.Registration, error) {
		s.asked = true
		return s.shared, s.sharedErr
	})
}

func newSituation() *situation {
	return &situation{
		library: &v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: "example"}, Spec: v1alpha1.ConnectorSpec{
			Grant: v1alpha1.GrantAuthorizationCode, AuthStyle: v1alpha1.AuthStyleBasic, Client: v1alpha1.ClientAccount, PKCE: v1alpha1.PKCES256,
			AuthorizationURL: "https://example.com/authorize", TokenURL: "https://example.com/token", Scopes: []v1alpha1.ProviderScope{"a", "b"},
		}},
		properties: map[string]string{"ClientId": "mine", "ClientSecret": "secret"},
		shared:     setup.Registration{ID: "shared", Secret: oauth.NewSecret("theirs")},
	}
}

func discovered(issuer v1alpha1.ConnectorURL) *v1alpha1.DiscoveredEndpoints {
	return &v1alpha1.DiscoveredEndpoints{
		Issuer: issuer, AuthorizationURL: "https://found.example/authorize", TokenURL: "https://found.example/token",
		RevocationURL: "https://found.example/revoke", IssInAnswers: true,
	}
}

func TestResolve(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*situation)
		check  func(setup.Setup) bool
	}{
		{"the account's own client", nil, func(s setup.Setup) bool {
			return s.Request.Client.ID == "mine" && s.Request.Client.Secret.Reveal() == "secret" && s.Request.TokenURL == "https://example.com/token" &&
				s.AuthorizationURL == "https://example.com/authorize" && s.RevocationURL == "" && s.Issuer == "" && s.Scope == "a b" && s.Request.Scope == ""
		}},
		{"the Connector's client", func(s *situation) { s.library.Spec.Client, s.properties = v1alpha1.ClientShared, nil }, func(s setup.Setup) bool {
			return s.Request.Client.ID == "shared" && s.Request.Client.Secret.Reveal() == "theirs"
		}},
		{"either, and the account has one", func(s *situation) { s.library.Spec.Client = v1alpha1.ClientEither }, func(s setup.Setup) bool { return s.Request.Client.ID == "mine" }},
		{"either, and it has none", func(s *situation) { s.library.Spec.Client, s.properties = v1alpha1.ClientEither, nil }, func(s setup.Setup) bool { return s.Request.Client.ID == "shared" }},
		{"the account's own scopes", func(s *situation) { s.scopes = []v1alpha1.ProviderScope{"c"} }, func(s setup.Setup) bool { return s.Scope == "c" }},
		{"another separator", func(s *situation) { s.library.Spec.ScopeSeparator = "," }, func(s setup.Setup) bool { return s.Scope == "a,b" }},
		{"a grant that needs no user, with fewer scopes", func(s *situation) {
			s.library.Spec.Grant, s.library.Spec.Client, s.properties = v1alpha1.GrantClientCredentials, v1alpha1.ClientShared, nil
			s.scopes = []v1alpha1.ProviderScope{"b"}
		}, func(s setup.Setup) bool { return s.Request.Scope == "b" }},
		{"a grant that needs no user, with other scopes of the account's own client", func(s *situation) {
			s.library.Spec.Grant, s.scopes = v1alpha1.GrantClientCredentials, []v1alpha1.ProviderScope{"c"}
		}, func(s setup.Setup) bool { return s.Request.Scope == "c" }},
		{"answers that always have iss, by the spec", func(s *situation) {
			s.library.Spec.Issuer, s.library.Spec.IssInAnswers = "https://id.example", true
		}, func(s setup.Setup) bool { return s.IssInAnswers }},
		{"a grant that needs no user", func(s *situation) { s.library.Spec.Grant = v1alpha1.GrantClientCredentials }, func(s setup.Setup) bool {
			return s.AuthorizationURL == "" && s.Request.Scope == "a b"
		}},
		{"endpoints that are discovered", func(s *situation) {
			s.library.Spec.Issuer, s.library.Spec.AuthorizationURL, s.library.Spec.TokenURL = "https://id.example", "", ""
			s.library.Status.Discovered = discovered("https://id.example")
		}, func(s setup.Setup) bool {
			return s.AuthorizationURL == "https://found.example/authorize" && s.Request.TokenURL == "https://found.example/token" &&
				s.RevocationURL == "https://found.example/revoke" && s.Issuer == "https://id.example" && s.IssInAnswers
		}},
		{"endpoints that are named win", func(s *situation) {
			s.library.Spec.Issuer, s.library.Status.Discovered = "https://id.example", discovered("https://id.example")
		}, func(s setup.Setup) bool {
			return s.Request.TokenURL == "https://example.com/token" && s.RevocationURL == "https://found.example/revoke" && s.IssInAnswers
		}},
		{"what another issuer published is nothing", func(s *situation) {
			s.library.Spec.Issuer, s.library.Status.Discovered = "https://id.example", discovered("https://before.example")
		}, func(s setup.Setup) bool { return s.RevocationURL == "" && !s.IssInAnswers }},
		{"properties in URLs", func(s *situation) {
			s.library.Spec.Properties = []v1alpha1.ConnectorProperty{{Name: "Subdomain"}}
			s.library.Spec.TokenURL = "https://{Subdomain}.example.com/token"
			s.properties["Subdomain"] = "acme"
		}, func(s setup.Setup) bool { return s.Request.TokenURL == "https://acme.example.com/token" }},
		{"parameters", func(s *situation) {
			s.library.Spec.AuthorizationParameters = map[string]v1alpha1.ParameterValue{"access_type": "offline"}
			s.library.Spec.TokenParameters = map[string]v1alpha1.ParameterValue{"audience": "api"}
			s.library.Spec.TokenResponsePath = "data.token"
		}, func(s setup.Setup) bool {
			return s.AuthorizationParameters["access_type"] == "offline" && s.Request.Parameters["audience"] == "api" && s.Request.ResponsePath == "data.token"
		}},
		{"a key of the account's", func(s *situation) {
			s.library.Spec.AuthStyle, s.properties["ClientSecret"] = v1alpha1.AuthStylePrivateKeyJWT, string(keyOf(t, ecdsaKey(elliptic.P256())))
		}, func(s setup.Setup) bool { return s.Request.Client.Key != nil && s.Request.Client.Secret.Reveal() == "" }},
		{"a key of the Connector's", func(s *situation) {
			s.library.Spec.AuthStyle, s.library.Spec.Client, s.properties = v1alpha1.AuthStylePrivateKeyJWT, v1alpha1.ClientShared, nil
			s.shared.PrivateKey, s.shared.KeyID = keyOf(t, ecdsaKey(elliptic.P256())), "kid"
		}, func(s setup.Setup) bool {
			return s.Request.Client.Key != nil && s.Request.Client.KeyID == "kid" && s.Request.Client.Secret.Reveal() == ""
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSituation()
			if row.change != nil {
				row.change(s)
			}
			made, err := s.resolve()
			if err != nil || !row.check(made) {
				t.Errorf("got %+v, %v", made, err)
			}
			if s.asked != (made.Request.Client.ID == "shared") {
				t.Errorf("the Connector's own registration was read: %v", s.asked)
			}
		})
	}
}

func TestResolveFails(t *testing.T) {
	unreachable := errors.New("the API server is away")
	for _, row := range []struct {
		name   string
		change func(*situation)
		reason string
	}{
		{"a client of the account's, where there is one for all", func(s *situation) { s.library.Spec.Client = v1alpha1.ClientShared }, v1alpha1.ReasonInvalidProperty},
		{"no client of the account's, where each has one", func(s *situation) { s.properties = nil }, v1alpha1.ReasonInvalidProperty},
		{"a property that the Connector does not name", func(s *situation) { s.properties["Region"] = "eu" }, v1alpha1.ReasonInvalidProperty},
		{"a property that is missing", func(s *situation) {
			s.library.Spec.Properties = []v1alpha1.ConnectorProperty{{Name: "Subdomain"}}
			s.library.Spec.TokenURL = "https://{Subdomain}.example.com/token"
		}, v1alpha1.ReasonInvalidProperty},
		{"a property that leads to another host", func(s *situation) {
			s.library.Spec.Properties = []v1alpha1.ConnectorProperty{{Name: "Subdomain"}}
			s.library.Spec.TokenURL = "https://{Subdomain}.example.com/token"
			s.properties["Subdomain"] = "evil.example/"
		}, v1alpha1.ReasonInvalidProperty},
		{"a registration without a client", func(s *situation) {
			s.library.Spec.Client, s.properties, s.shared = v1alpha1.ClientShared, nil, setup.Registration{}
		}, v1alpha1.ReasonInvalidConnector},
		{"scopes that the Connector does not ask for, where nobody is asked and the client is everybody's", func(s *situation) {
			s.library.Spec.Grant, s.library.Spec.Client, s.properties = v1alpha1.GrantClientCredentials, v1alpha1.ClientShared, nil
			s.scopes = []v1alpha1.ProviderScope{"a", "c"}
		}, v1alpha1.ReasonScopeNotAllowed},
		{"a secret without its client", func(s *situation) {
			s.library.Spec.Client, s.properties = v1alpha1.ClientEither, map[string]string{"ClientSecret": "secret"}
		}, v1alpha1.ReasonInvalidProperty},
		{"a secret of the account's, where there is one client for all", func(s *situation) {
			s.library.Spec.Client, s.properties = v1alpha1.ClientShared, map[string]string{"ClientSecret": "secret"}
		}, v1alpha1.ReasonInvalidProperty},
		{"endpoints that are not discovered yet", func(s *situation) {
			s.library.Spec.Issuer, s.library.Spec.TokenURL = "https://id.example", ""
		}, v1alpha1.ReasonDiscoveryFailed},
		{"no authorization endpoint, where users sign in", func(s *situation) {
			s.library.Spec.Issuer, s.library.Spec.AuthorizationURL = "https://id.example", ""
		}, v1alpha1.ReasonDiscoveryFailed},
		{"a registration that cannot be read", func(s *situation) {
			s.library.Spec.Client, s.properties, s.sharedErr = v1alpha1.ClientShared, nil, unreachable
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSituation()
			row.change(s)
			_, err := s.resolve()
			if found, is := fault.As(err); is && found.Reason != row.reason || !is && !errors.Is(err, unreachable) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestConfigurationNamesWhatAProviderMayRefuse: it changes with that, so that it is tried again, and with nothing else, so that it is not.
func TestConfigurationNamesWhatAProviderMayRefuse(t *testing.T) {
	configuration := func(change func(*situation)) string {
		s := newSituation()
		s.library.Spec.TokenParameters = map[string]v1alpha1.ParameterValue{"a": "1", "b": "2"}
		if change != nil {
			change(s)
		}
		made, err := s.resolve()
		if err != nil {
			t.Fatal(err)
		}
		return made.Configuration
	}
	was := configuration(nil)
	for what, change := range map[string]func(*situation){
		"the client":     func(s *situation) { s.properties["ClientId"] = "other" },
		"its secret":     func(s *situation) { s.properties["ClientSecret"] = "other" },
		"the endpoint":   func(s *situation) { s.library.Spec.TokenURL = "https://example.com/other" },
		"a parameter":    func(s *situation) { s.library.Spec.TokenParameters["a"] = "2" },
		"no parameter":   func(s *situation) { delete(s.library.Spec.TokenParameters, "a") },
		"how it is done": func(s *situation) { s.library.Spec.AuthStyle = v1alpha1.AuthStylePost },
	} {
		if configuration(change) == was {
			t.Errorf("it does not change with %s", what)
		}
	}
	for what, change := range map[string]func(*situation){
		"what users are asked for": func(s *situation) { s.scopes = []v1alpha1.ProviderScope{"c"} },
		"the name for people":      func(s *situation) { s.library.Spec.DisplayName = "Other" },
		"where users go":           func(s *situation) { s.library.Spec.AuthorizationURL = "https://example.com/other" },
	} {
		if configuration(change) != was {
			t.Errorf("it changes with %s", what)
		}
	}
}
