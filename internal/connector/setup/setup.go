// SPDX-License-Identifier: Apache-2.0

// Package setup makes of a Connector and an account's properties what is needed to talk to the provider: endpoints with the properties
// in them, and the client. Whoever refreshes and whoever signs in must come to the same.
package setup

import (
	"crypto"
	"crypto/x509"
	"maps"
	"slices"
	"strings"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

// Setup is how one account's connection talks to its provider.
type Setup struct {
	// Request is a token request without what is presented.
	Request tokenendpoint.Request
	// AuthorizationURL is empty where the grant needs none. RevocationURL is empty where the provider has none. Issuer is empty where
	// nobody has named one.
	AuthorizationURL, RevocationURL, Issuer string
	// IssInAnswers says that an answer of the authorization endpoint without iss is refused (RFC 9207 section 2.4).
	IssInAnswers bool
	// AuthorizationParameters are sent to the authorization endpoint besides.
	AuthorizationParameters map[string]string
	PKCE                    v1alpha1.PKCEMethod
	// Scope is what a user is asked for.
	Scope     string
	Behaviour connector.Behaviour
	// Configuration names all of it that a provider may refuse.
	Configuration string
}

// Registration is a client's registration at a provider, for all accounts.
type Registration struct {
	ID     string
	Secret oauth.Secret
	// PrivateKey is PEM, for PrivateKeyJWT, and KeyID what the provider calls it.
	PrivateKey []byte
	KeyID      string
}

// Resolve makes a Setup. shared gives the Connector's own app registration, where it is needed. Its errors are faults that quote no
// value, or those of shared.
func Resolve(of *v1alpha1.Connector, own []v1alpha1.ProviderScope, properties map[string]string, shared func() (Registration, error)) (Setup, error) {
	if err := connector.CheckProperties(of.Spec.Properties, properties); err != nil {
		return Setup{}, err
	}
	client, err := clientOf(of, properties, shared)
	if err != nil {
		return Setup{}, err
	}
	if err := checkScopes(of, own, properties); err != nil {
		return Setup{}, err
	}
	made := Setup{
		Request: tokenendpoint.Request{
			Client: client, Parameters: plain(of.Spec.TokenParameters), ResponsePath: of.Spec.TokenResponsePath,
		},
		AuthorizationParameters: plain(of.Spec.AuthorizationParameters),
		PKCE:                    of.Spec.PKCE,
		Scope:                   scopeOf(of, own),
		Behaviour:               connector.ReadBehaviour(of.Spec),
	}
	if err := made.locate(of, properties); err != nil {
		return Setup{}, err
	}
	made.Request.Client.Audience = made.Issuer
	if of.Spec.Grant == v1alpha1.GrantClientCredentials {
		made.Request.Scope = made.Scope // a refresh asks for what was granted
	}
	made.Configuration = made.name()
	return made, nil
}

// name changes with everything that a provider may refuse a token request for.
func (s *Setup) name() string {
	client := s.Request.Client
	more := []string{string(client.Style), client.Audience, client.KeyID, fingerprintOf(client.Key)}
	for _, parameter := range slices.Sorted(maps.Keys(s.Request.Parameters)) {
		more = append(more, parameter, s.Request.Parameters[parameter])
	}
	return connector.Configuration(s.Request.TokenURL, client.ID, client.Secret, s.Request.Scope, more...)
}

func fingerprintOf(key crypto.Signer) string {
	if key == nil {
		return ""
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return ""
	}
	return string(public)
}

// locate finds the endpoints: those that the spec names, or else those that its issuer publishes.
func (s *Setup) locate(of *v1alpha1.Connector, properties map[string]string) error {
	discovered := v1alpha1.DiscoveredEndpoints{}
	s.IssInAnswers = of.Spec.IssInAnswers
	if found := of.Status.Discovered; found != nil && found.Issuer == of.Spec.Issuer {
		discovered = *found
		s.IssInAnswers = s.IssInAnswers || found.IssInAnswers
	}
	authorization := first(of.Spec.AuthorizationURL, discovered.AuthorizationURL)
	if of.Spec.Grant == v1alpha1.GrantClientCredentials {
		authorization = ""
	}
	for _, endpoint := range []struct {
		template v1alpha1.ConnectorURL
		url      *string
		needed   bool
	}{
		{of.Spec.Issuer, &s.Issuer, false},
		{authorization, &s.AuthorizationURL, of.Spec.Grant == v1alpha1.GrantAuthorizationCode},
		{first(of.Spec.TokenURL, discovered.TokenURL), &s.Request.TokenURL, true},
		{first(of.Spec.RevocationURL, discovered.RevocationURL), &s.RevocationURL, false},
	} {
		if endpoint.template == "" {
			if endpoint.needed {
				return fault.Waitingf(v1alpha1.ReasonDiscoveryFailed, "the endpoints of Connector %s are not discovered yet", of.Name)
			}
			continue
		}
		var err error
		if *endpoint.url, err = connector.Expand(string(endpoint.template), properties); err != nil {
			return err
		}
	}
	return nil
}

func first(urls ...v1alpha1.ConnectorURL) v1alpha1.ConnectorURL {
	for _, url := range urls {
		if url != "" {
			return url
		}
	}
	return ""
}

// checkScopes: without a user who is asked, what bounds a tenant that acts as everybody's client is what the Connector asks for.
func checkScopes(of *v1alpha1.Connector, own []v1alpha1.ProviderScope, properties map[string]string) error {
	if of.Spec.Grant != v1alpha1.GrantClientCredentials || properties[connector.PropertyClientID] != "" {
		return nil
	}
	for _, scope := range own {
		if !slices.Contains(of.Spec.Scopes, scope) {
			return fault.Terminalf(v1alpha1.ReasonScopeNotAllowed,
				"scope %s is none of Connector %s, whose app registration is used: take it out of spec.scopes, or bring an app registration of the account's own", scope, of.Name)
		}
	}
	return nil
}

func scopeOf(of *v1alpha1.Connector, own []v1alpha1.ProviderScope) string {
	scopes := of.Spec.Scopes
	if len(own) > 0 {
		scopes = own
	}
	names := make([]string, len(scopes))
	for i, scope := range scopes {
		names[i] = string(scope)
	}
	separator := of.Spec.ScopeSeparator
	if separator == "" {
		separator = " "
	}
	return strings.Join(names, separator)
}

// clientOf finds whose app registration is used.
func clientOf(of *v1alpha1.Connector, properties map[string]string, shared func() (Registration, error)) (tokenendpoint.Credentials, error) {
	credentials := tokenendpoint.Credentials{
		ID: properties[connector.PropertyClientID], Secret: oauth.NewSecret(properties[connector.PropertyClientSecret]), Style: of.Spec.AuthStyle,
	}
	switch {
	case of.Spec.Client == v1alpha1.ClientShared && (credentials.ID != "" || credentials.Secret.Reveal() != ""):
		return credentials, fault.Terminalf(v1alpha1.ReasonInvalidProperty,
			"Connector %s uses one app registration for all accounts, so there are no properties ClientId and ClientSecret", of.Name)
	case of.Spec.Client == v1alpha1.ClientAccount && credentials.ID == "":
		return credentials, fault.Terminalf(v1alpha1.ReasonInvalidProperty, "Connector %s has every account bring its own app registration: set properties ClientId and ClientSecret", of.Name)
	case credentials.ID != "":
		return withKey(credentials, []byte(credentials.Secret.Reveal()), v1alpha1.ReasonInvalidProperty, "property ClientSecret")
	case credentials.Secret.Reveal() != "":
		return credentials, fault.Terminalf(v1alpha1.ReasonInvalidProperty, "property ClientSecret is that of no client: set ClientId too, or leave it out")
	}
	registration, err := shared()
	if err != nil {
		return tokenendpoint.Credentials{}, err
	}
	credentials.ID, credentials.Secret, credentials.KeyID = registration.ID, registration.Secret, registration.KeyID
	if credentials.ID == "" {
		return credentials, fault.Waitingf(v1alpha1.ReasonInvalidConnector, "the Secret of the app registration of Connector %s has no client_id", of.Name)
	}
	return withKey(credentials, registration.PrivateKey, v1alpha1.ReasonInvalidConnector, "the private_key of the app registration")
}

func plain[V ~string](values map[string]V) map[string]string {
	texts := make(map[string]string, len(values))
	for key, value := range values {
		texts[key] = string(value)
	}
	return texts
}
