// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ConnectorSpec says what a third-party application's OAuth endpoints are, and how they behave.
//
// +kubebuilder:validation:XValidation:rule="has(self.issuer) || has(self.tokenURL)",message="set tokenURL, or issuer to discover it"
// +kubebuilder:validation:XValidation:rule="!has(self.issuer) || !self.issuer.contains('{') || has(self.tokenURL) && (self.grant != 'AuthorizationCode' || has(self.authorizationURL))",message="an issuer with a property in it cannot be discovered: set tokenURL and, with grant AuthorizationCode, authorizationURL"
// +kubebuilder:validation:XValidation:rule="self.grant != 'AuthorizationCode' || has(self.issuer) || has(self.authorizationURL)",message="grant AuthorizationCode needs authorizationURL, or issuer to discover it"
// +kubebuilder:validation:XValidation:rule="self.grant != 'ClientCredentials' || !has(self.authorizationURL)",message="grant ClientCredentials has no authorizationURL"
// +kubebuilder:validation:XValidation:rule="self.client != 'Account' || !has(self.clientSecretRef)",message="client Account: every account brings its own client, so there is no clientSecretRef"
// +kubebuilder:validation:XValidation:rule="self.client == 'Account' || has(self.clientSecretRef)",message="client Shared or Either needs clientSecretRef"
// +kubebuilder:validation:XValidation:rule="self.client == 'Account' || !has(self.properties) || !self.properties.exists(p, (has(self.tokenURL) && self.tokenURL.contains('{' + p.name + '}') || has(self.revocationURL) && self.revocationURL.contains('{' + p.name + '}') || has(self.authorizationURL) && self.authorizationURL.contains('{' + p.name + '}') || has(self.issuer) && self.issuer.contains('{' + p.name + '}')) && !has(p.pattern) && !has(p.values))",message="a property in a URL decides whom the shared client is used with: bound it by pattern or values"
// +kubebuilder:validation:XValidation:rule="!has(self.issInAnswers) || !self.issInAnswers || has(self.issuer) && self.grant == 'AuthorizationCode'",message="issInAnswers needs issuer, and grant AuthorizationCode"
type ConnectorSpec struct {
	// displayName is the application's name for people: the sign-in page shows it. 1 to 128 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	DisplayName string `json:"displayName,omitempty"`

	// documentationURL is where the provider documents its OAuth, which is where what stands here comes from.
	// Default: none. An http or https URL of at most 2048 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^\s]+$`
	DocumentationURL string `json:"documentationURL,omitempty"`

	// grant is how tokens are obtained: by a user who signs in (RFC 6749 section 4.1), or by the client alone (section 4.4).
	// +required
	Grant ConnectorGrant `json:"grant,omitempty"`

	// issuer is the provider's issuer identifier. Endpoints that are left out are discovered there (RFC 8414, OpenID Connect
	// Discovery), and the iss of an answer must be it (RFC 9207).
	// Default: none.
	// +optional
	Issuer ConnectorURL `json:"issuer,omitempty"`

	// issInAnswers says that the provider puts iss into every answer of its authorization endpoint, so that one without it is not its
	// own (RFC 9207 section 2.4).
	// Default: false; what is discovered at the issuer says so too.
	// +optional
	IssInAnswers bool `json:"issInAnswers,omitempty"`

	// authorizationURL is the authorization endpoint. {Name} stands for the AccountConnector's property of that name.
	// Default: discovered.
	// +optional
	AuthorizationURL ConnectorURL `json:"authorizationURL,omitempty"`

	// tokenURL is the token endpoint. {Name} stands for the AccountConnector's property of that name.
	// Default: discovered.
	// +optional
	TokenURL ConnectorURL `json:"tokenURL,omitempty"`

	// revocationURL is the revocation endpoint (RFC 7009), which is told when an AccountConnector is deleted. {Name} stands for
	// the AccountConnector's property of that name.
	// Default: discovered; without one, deletion ends nothing at the provider.
	// +optional
	RevocationURL ConnectorURL `json:"revocationURL,omitempty"`

	// scopes are asked for where the AccountConnector names none.
	// Default: none; the provider decides. At most 64.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Scopes []ProviderScope `json:"scopes,omitempty"`

	// scopeSeparator stands between scopes where the provider does not follow RFC 6749 section 3.3.
	// Default: a blank.
	// +optional
	// +default=" "
	// +kubebuilder:validation:Enum=" ";",";"+"
	ScopeSeparator string `json:"scopeSeparator,omitempty"`

	// authStyle is how the client authenticates at the token endpoint. It is never guessed: a guess sends a refresh token twice.
	// +required
	AuthStyle AuthStyle `json:"authStyle,omitempty"`

	// pkce is the code challenge method (RFC 7636). None is for providers that refuse a challenge.
	// Default: S256.
	// +optional
	// +default="S256"
	PKCE PKCEMethod `json:"pkce,omitempty"`

	// authorizationParameters are added to the authorization request. Those of the protocol cannot be set here.
	// Default: none. At most 16.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k in ['response_type', 'client_id', 'client_secret', 'redirect_uri', 'scope', 'state', 'code_challenge', 'code_challenge_method', 'code', 'nonce']))",message="response_type, client_id, client_secret, redirect_uri, scope, state, code, nonce and code_challenge are the protocol's own"
	AuthorizationParameters map[string]ParameterValue `json:"authorizationParameters,omitempty"`

	// tokenParameters are added to every token request. Those of the protocol cannot be set here.
	// Default: none. At most 16.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k in ['grant_type', 'client_id', 'client_secret', 'redirect_uri', 'code', 'code_verifier', 'refresh_token', 'client_assertion', 'client_assertion_type', 'token']))",message="grant_type, client_id, client_secret, redirect_uri, code, code_verifier, refresh_token, token and client_assertion are the protocol's own"
	TokenParameters map[string]ParameterValue `json:"tokenParameters,omitempty"`

	// tokenResponsePath is where in the token endpoint's JSON answer the object with access_token is: names separated by dots,
	// such as authed_user.
	// Default: the answer itself. 1 to 128 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,3}$`
	TokenResponsePath string `json:"tokenResponsePath,omitempty"`

	// client says whose app registration is used: Shared, the one of clientSecretRef for all accounts; Account, each account's own,
	// in its properties ClientId and ClientSecret; Either, the account's own where it has one.
	// Default: Account.
	// +optional
	// +default="Account"
	Client ConnectorClient `json:"client,omitempty"`

	// clientSecretRef names a Secret in the connections namespace with the app registration: client_id, and client_secret or, with
	// authStyle PrivateKeyJWT, private_key (PEM) and perhaps key_id.
	// Default: none.
	// +optional
	ClientSecretRef *ConnectionsSecretReference `json:"clientSecretRef,omitempty"`

	// properties are those that an AccountConnector may set beside ClientId and ClientSecret, for {Name} in URLs.
	// Default: none. At most 8.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Properties []ConnectorProperty `json:"properties,omitempty"`

	// allowedOrigins are origins that a sign-in may end at, beside those of the Account: https://app.example.com.
	// Default: none. At most 16.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	AllowedOrigins []Origin `json:"allowedOrigins,omitempty"`

	// refresh is how the provider's refresh tokens behave.
	// Default: rotation Unknown, and what it says of the rest.
	// +optional
	Refresh ConnectorRefresh `json:"refresh,omitzero"`

	// publishRefreshToken allows templates of AccountConnectors to hand the refresh token to the tenant, as .RefreshToken. Whoever
	// uses it there ends Claviger's own hold on it with a provider that rotates.
	// Default: false.
	// +optional
	PublishRefreshToken bool `json:"publishRefreshToken,omitempty"`
}

// ConnectorGrant is how tokens are obtained.
//
// +kubebuilder:validation:Enum=AuthorizationCode;ClientCredentials
type ConnectorGrant string

const (
	// GrantAuthorizationCode has a user sign in (RFC 6749 section 4.1).
	GrantAuthorizationCode ConnectorGrant = "AuthorizationCode"
	// GrantClientCredentials needs nobody (RFC 6749 section 4.4).
	GrantClientCredentials ConnectorGrant = "ClientCredentials" //nolint:gosec // G101: a grant, not a credential
)

// AuthStyle is how a client authenticates at a token endpoint.
//
// +kubebuilder:validation:Enum=Basic;Post;PrivateKeyJWT
type AuthStyle string

const (
	// AuthStyleBasic is HTTP Basic (RFC 6749 section 2.3.1).
	AuthStyleBasic AuthStyle = "Basic"
	// AuthStylePost is in the body (RFC 6749 section 2.3.1).
	AuthStylePost AuthStyle = "Post"
	// AuthStylePrivateKeyJWT is an assertion signed with the client's key (RFC 7523 section 2.2).
	AuthStylePrivateKeyJWT AuthStyle = "PrivateKeyJWT"
)

// PKCEMethod is a code challenge method (RFC 7636 section 4.2).
//
// +kubebuilder:validation:Enum=S256;None
type PKCEMethod string

const (
	// PKCES256 is the only method that hides the verifier.
	PKCES256 PKCEMethod = "S256"
	// PKCENone sends no challenge.
	PKCENone PKCEMethod = "None"
)

// ConnectorClient says whose app registration is used.
//
// +kubebuilder:validation:Enum=Shared;Account;Either
type ConnectorClient string

const (
	// ClientShared is the Connector's, for all accounts.
	ClientShared ConnectorClient = "Shared"
	// ClientAccount is each account's own.
	ClientAccount ConnectorClient = "Account"
	// ClientEither is the account's own where it has one, and else the Connector's.
	ClientEither ConnectorClient = "Either"
)

// ConnectorURL is an absolute URL of a provider, of at most 2048 characters, without user and fragment. {Name} stands for a
// property. It must be https, unless the operator allows http.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=2048
// +kubebuilder:validation:Pattern=`^https?://[A-Za-z0-9.:_{}\[\]-]+(/[A-Za-z0-9._~!$&'()*+,;=:@%{}/-]*)?(\?[A-Za-z0-9._~!$&'()*+,;=:@%{}/?-]*)?$`
type ConnectorURL string

// ProviderScope is a scope of a provider (RFC 6749 section 3.3).
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:Pattern=`^[\x21\x23-\x5B\x5D-\x7E]+$`
type ProviderScope string

// ParameterValue is the value of a request parameter.
//
// +kubebuilder:validation:MaxLength=1024
type ParameterValue string

// Origin is an origin as a browser writes it: scheme, host, and port where it is not the scheme's own (RFC 6454 section 6.2).
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:Pattern=`^https?://[a-z0-9.-]+(:[0-9]{1,5})?$`
// +kubebuilder:validation:XValidation:rule="!self.startsWith('http:') || self.matches('^http://(localhost|127[.]0[.]0[.]1)(:[0-9]+)?$')",message="must be https unless it is on loopback"
// +kubebuilder:validation:XValidation:rule="!self.matches('^(https:.*:443|http:.*:80)$')",message="leave out the port that is the scheme's own: no browser names it"
type Origin string

// ConnectionsSecretReference names a Secret in the connections namespace.
type ConnectionsSecretReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name,omitempty"`
}

// ConnectorProperty is something that an account says of itself at the provider, such as its subdomain.
//
// +kubebuilder:validation:XValidation:rule="!has(self.pattern) || !has(self.values)",message="set pattern or values, not both"
type ConnectorProperty struct {
	// name of the property.
	// +required
	Name PropertyName `json:"name,omitempty"`

	// description says for people what it is and where they find it.
	// Default: none. 1 to 256 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Description string `json:"description,omitempty"`

	// pattern is a regular expression (RE2) that the whole value must match. Whatever it says, a value in the host of a URL is one
	// label of letters, digits and hyphens, and elsewhere it is escaped.
	// Default: none. 1 to 256 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Pattern string `json:"pattern,omitempty"`

	// values are those that there are, such as regions.
	// Default: any. At most 32.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	Values []string `json:"values,omitempty"`
}

// PropertyName is the name of a property: a letter, and at most 62 letters and digits.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9]*$`
type PropertyName string

// ConnectorRefresh is how a provider's refresh tokens behave. What is not known is left out.
type ConnectorRefresh struct {
	// rotation is what becomes of a refresh token that was used: None, it goes on working; Grace, it is replaced and works for
	// reuseGrace more; Strict, it is replaced, and using it again ends the grant (RFC 9700 section 4.14.2); Unknown, the provider
	// does not say.
	// Default: Unknown.
	// +optional
	// +default="Unknown"
	Rotation RefreshRotation `json:"rotation,omitempty"`

	// reuseGrace is how long a refresh token works after it was used, with rotation Grace. From 1s to 24h.
	// Default: 30s.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="reuseGrace must be from 1s to 24h"
	ReuseGrace *metav1.Duration `json:"reuseGrace,omitempty"`

	// assumedLifetime is how long an access token lives where the provider does not say (RFC 6749 section 5.1). From 30s to 8760h.
	// Default: none; such a token is never taken for expired, and is refreshed only where idleExpiry asks for it.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('30s') && duration(self) <= duration('8760h')",message="assumedLifetime must be from 30s to 8760h"
	AssumedLifetime *metav1.Duration `json:"assumedLifetime,omitempty"`

	// refreshBeforeExpiry is how long before its expiry an access token is refreshed, where two thirds of its life would be later;
	// at half its life at the earliest. From 1s to 720h.
	// Default: at two thirds of its life.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="refreshBeforeExpiry must be from 1s to 720h"
	RefreshBeforeExpiry *metav1.Duration `json:"refreshBeforeExpiry,omitempty"`

	// idleExpiry is after how long without use a refresh token is dead. It is used, at the latest, at two thirds of that.
	// From 1h to 87600h.
	// Default: none; it lives until the provider says otherwise.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1h') && duration(self) <= duration('87600h')",message="idleExpiry must be from 1h to 87600h"
	IdleExpiry *metav1.Duration `json:"idleExpiry,omitempty"`

	// absoluteExpiry is how long after a user signed in the grant ends, whatever is done. People are warned before. From 1h to 87600h.
	// Default: none, unless the provider says so in its answers.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1h') && duration(self) <= duration('87600h')",message="absoluteExpiry must be from 1h to 87600h"
	AbsoluteExpiry *metav1.Duration `json:"absoluteExpiry,omitempty"`
}

// RefreshRotation is what becomes of a refresh token that was used.
//
// +kubebuilder:validation:Enum=None;Grace;Strict;Unknown
type RefreshRotation string

const (
	// RotationNone goes on working.
	RotationNone RefreshRotation = "None"
	// RotationGrace works for a while.
	RotationGrace RefreshRotation = "Grace"
	// RotationStrict ends the grant when it is used again.
	RotationStrict RefreshRotation = "Strict"
	// RotationUnknown may be any.
	RotationUnknown RefreshRotation = "Unknown"
)

// ConnectorStatus is what the manager last saw.
//
// +kubebuilder:validation:MinProperties=1
type ConnectorStatus struct {
	// observedGeneration is the metadata.generation that the conditions speak of; -1 until the manager has seen the object.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// redirectURI is what the app registration must have as its redirect URI (RFC 6749 section 3.1.2). With grant ClientCredentials
	// there is none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	RedirectURI string `json:"redirectURI,omitempty"`

	// discovered is what the issuer publishes of its endpoints. Those that the spec names come first.
	// +optional
	Discovered *DiscoveredEndpoints `json:"discovered,omitempty"`

	// conditions are Ready; Reconciling or Stalled while there is reason for it.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// DiscoveredEndpoints are those of an issuer (RFC 8414 section 2).
type DiscoveredEndpoints struct {
	// issuer is the one that published them: they are not used for another.
	// +required
	Issuer ConnectorURL `json:"issuer,omitempty"`

	// authorizationURL is authorization_endpoint.
	// +optional
	AuthorizationURL ConnectorURL `json:"authorizationURL,omitempty"`

	// tokenURL is token_endpoint.
	// +optional
	TokenURL ConnectorURL `json:"tokenURL,omitempty"`

	// revocationURL is revocation_endpoint.
	// +optional
	RevocationURL ConnectorURL `json:"revocationURL,omitempty"`

	// issInAnswers says that every answer of the authorization endpoint has iss (RFC 9207 section 3): one without is refused.
	// +optional
	IssInAnswers bool `json:"issInAnswers,omitempty"`

	// at is when they were read.
	// +required
	At metav1.Time `json:"at,omitzero"` //nolint:kubeapilinter // requiredfields: a time is a string in the schema, not an object that could be empty
}

// Connector is a library entry: a third-party application's OAuth endpoints and behaviour and, perhaps, the one app registration
// that is used for all accounts.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=clvcon,categories=claviger
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 63",message="the name must have at most 63 letters, digits and hyphens: connectorRef and the redirect URI have no others"
// +kubebuilder:printcolumn:name="Application",type=string,JSONPath=`.spec.displayName`
// +kubebuilder:printcolumn:name="Grant",type=string,JSONPath=`.spec.grant`
// +kubebuilder:printcolumn:name="Client",type=string,JSONPath=`.spec.client`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Rotation",type=string,priority=1,JSONPath=`.spec.refresh.rotation`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Connector struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata. Its name is part of the redirect URI.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what the platform team knows of the application.
	// +required
	Spec ConnectorSpec `json:"spec,omitzero"`

	// status is what the manager found.
	// +optional
	// +default={"observedGeneration":-1}
	Status ConnectorStatus `json:"status,omitzero"`
}

// ConnectorList is a list of Connectors.
//
// +kubebuilder:object:root=true
type ConnectorList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Connector `json:"items"`
}
