// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Conditions that kinds of this package share.
const (
	// ConditionReady is the summary of all other conditions. Its reason is that of the first condition that is not
	// met, or the kind's own reason for success.
	ConditionReady = "Ready"

	// ConditionReconciling is present, and True, only while Claviger is still at work or waits for something that may
	// come by itself (kstatus: InProgress).
	ConditionReconciling = "Reconciling"

	// ConditionStalled is present, and True, only when nothing will change until a human changes something
	// (kstatus: Failed).
	ConditionStalled = "Stalled"
)

// Reasons of an Account's conditions.
const (
	// ReasonActive: Ready is True; credentials of this account may work.
	ReasonActive = "Active"
	// ReasonSuspended: Ready is False because spec.suspend is true. For a ClientCredential, Allowed is False too.
	ReasonSuspended = "Suspended"
	// ReasonDeleting: Ready is False because the object is being deleted. For a ClientCredential, Allowed is False too.
	ReasonDeleting = "Deleting"
	// ReasonInvalidSelector: Ready is False because spec.namespaces.selector does not parse; no namespace is selected.
	ReasonInvalidSelector = "InvalidSelector"
)

// ConditionAllowed says whether the rules let the credential or the protected resource be used. The token service enforces the
// same verdict.
//
//   - True: reason Allowed.
//   - False: one of the other reasons of its block.
const ConditionAllowed = "Allowed"

// Reasons of ConditionAllowed. ReasonSuspended and ReasonDeleting are two of them.
const (
	// ReasonAllowed: level, account, namespace and scopes are in order.
	ReasonAllowed = "Allowed"
	// ReasonAccountNotFound: no Account has the name in spec.accountRef; it may yet be created.
	ReasonAccountNotFound = "AccountNotFound"
	// ReasonAccountSuspended: the Account is suspended or being deleted.
	ReasonAccountSuspended = "AccountSuspended"
	// ReasonNamespaceNotAllowed: the Account does not allow this namespace.
	ReasonNamespaceNotAllowed = "NamespaceNotAllowed"
	// ReasonConsoleNotAllowed: a console-level credential, or a resource of type API, stands in a namespace that may not have one.
	ReasonConsoleNotAllowed = "ConsoleNotAllowed"
	// ReasonClientIDConflict: another ClientCredential has the client ID.
	ReasonClientIDConflict = "ClientIDConflict"
	// ReasonResourceConflict: another ProtectedResource has the URL.
	ReasonResourceConflict = "ResourceConflict"
	// ReasonScopeNotAllowed: a scope is neither built in for this level nor one of the Account's or, of a connection that acts as the
	// Connector's own client without a user, none of the Connector's.
	ReasonScopeNotAllowed = "ScopeNotAllowed"
)

// ConditionSecretPublished says whether the Secret holds what it should and the token service can verify it.
//
//   - True: reason Published.
//   - False: SecretConflict, SecretNotFound, InvalidSecret, InvalidTemplate, TokenNotIssued,
//     KeysNotReady or WriteFailed.
//   - Unknown: reason NotAttempted.
const ConditionSecretPublished = "SecretPublished"

// Reasons of ConditionSecretPublished.
const (
	// ReasonPublished: the Secret and its verifier agree.
	ReasonPublished = "Published"
	// ReasonSecretConflict: a Secret of that name exists that this object does not own; it is left alone.
	ReasonSecretConflict = "SecretConflict"
	// ReasonSecretNotFound: a Secret that the spec refers to does not exist; it may yet be created. For an AccountConnector it is a
	// reason of Authorized.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonInvalidSecret: a Secret that the spec refers to lacks a key, or a value cannot be used; what worked before still does. For
	// an AccountConnector it is a reason of Authorized.
	ReasonInvalidSecret = "InvalidSecret"
	// ReasonInvalidTemplate: spec.secretTemplate makes no Secret; the one that is there stays as it is.
	ReasonInvalidTemplate = "InvalidTemplate"
	// ReasonKeysNotReady: the pepper is missing or damaged.
	ReasonKeysNotReady = "KeysNotReady"
	// ReasonTokenNotIssued: spec.accessToken asks for a live token, and spec.revokeTokensBefore, which is still to come, would
	// kill it, or there is none of spec.resources that it could be for. For an AccountConnector whose grant is ClientCredentials it is a
	// reason of Authorized: no token was obtained yet.
	ReasonTokenNotIssued = "TokenNotIssued"
	// ReasonWriteFailed: the API server did not take a read or a write, or did not answer; it is tried again.
	ReasonWriteFailed = "WriteFailed"
	// ReasonNotAttempted: the rules do not allow the credential, so nothing was published or changed. For an AccountConnector, of
	// RefreshHealthy too: there is nothing to refresh or to publish.
	ReasonNotAttempted = "NotAttempted"
)

// ReasonIssued: a ClientCredential's Ready is True; its Secret can be traded for tokens.
const ReasonIssued = "Issued"

// ReasonRegistered: a ProtectedResource's Ready is True; tokens are issued for it, and /verify guards it.
const ReasonRegistered = "Registered"

// ConditionResourcesFound says whether the ClientCredential's tokens can be for all of its spec.resources. It is there only where
// that is set. What is found works, whatever is not.
//
//   - True: reason Found.
//   - False: ResourceNotFound or ResourceNotAllowed.
const ConditionResourcesFound = "ResourcesFound"

// Reasons of ConditionResourcesFound.
const (
	// ReasonFound: there is a ProtectedResource for every URL, and it may be used.
	ReasonFound = "Found"
	// ReasonResourceNotFound: no ProtectedResource of the account (of a console-level credential: of type API) has the URL; it may
	// yet be created.
	ReasonResourceNotFound = "ResourceNotFound"
	// ReasonResourceNotAllowed: the rules do not let the ProtectedResource of that URL be used.
	ReasonResourceNotAllowed = "ResourceNotAllowed"
)

// ConditionKeysValid says whether the keys in the ClientCredential's spec.jwks and spec.publicKeys can be used. It is there only
// where there are any. Those that are good work, and so do the client secret and tokens, whatever is wrong with others.
//
//   - True: reason Valid.
//   - False: InvalidKeys.
const ConditionKeysValid = "KeysValid"

// Reasons of ConditionKeysValid.
const (
	// ReasonValid: every key can be used.
	ReasonValid = "Valid"
	// ReasonInvalidKeys: a key is private or symmetric, does not parse, is too weak or of a type that is not accepted, or there are
	// too many.
	ReasonInvalidKeys = "InvalidKeys"
)

// ReasonAvailable: a Connector's Ready is True; accounts can be connected through it.
const ReasonAvailable = "Available"

// ReasonDiscoveryFailed: a Connector's Ready is False because its issuer does not publish endpoints that can be used; it is asked again.
const ReasonDiscoveryFailed = "DiscoveryFailed"

// ReasonConnected: an AccountConnector's Ready is True; its Secret holds a live access token.
const ReasonConnected = "Connected"

// ConditionAuthorized says whether there is a grant at the provider: tokens that a user, or the client alone, was given.
//
//   - True: reason Authorized.
//   - False: SignInRequired, ConfirmationRequired, ReauthorizationRequired, or TokenNotIssued: there is none. Or it cannot be used as it is
//     configured: ConnectorNotFound, InvalidConnector, DiscoveryFailed, InvalidProperty, ScopeNotAllowed, SecretNotFound or InvalidSecret. Or
//     the rules do not allow it: Suspended, AccountNotFound, AccountSuspended or NamespaceNotAllowed. Or something was not imported, whether
//     or not there is a grant: InvalidAuthValue, SecretNotFound or InvalidSecret. Or nobody can read what there is: RecordDamaged.
//   - Unknown: reason WriteFailed. The API server did not say what there is.
const ConditionAuthorized = "Authorized"

// Reasons of ConditionAuthorized.
const (
	// ReasonAuthorized: there is a grant.
	ReasonAuthorized = "Authorized"
	// ReasonSignInRequired: nobody has signed in yet, and nothing was imported.
	ReasonSignInRequired = "SignInRequired"
	// ReasonReauthorizationRequired: the provider says that the grant is dead; a user must sign in again.
	ReasonReauthorizationRequired = "ReauthorizationRequired"
	// ReasonConfirmationRequired: a user has signed in, and the host's backend has not confirmed it yet (completion Confirm).
	ReasonConfirmationRequired = "ConfirmationRequired"
	// ReasonInvalidAuthValue: the AuthValue is not imported; what was there before stays.
	ReasonInvalidAuthValue = "InvalidAuthValue"
	// ReasonRecordDamaged: the Secret that the grant is kept in cannot be read; it is left alone, for the good one may be in a backup.
	ReasonRecordDamaged = "RecordDamaged"
	// ReasonConnectorNotFound: no Connector has the name in spec.connectorRef; it may yet be created.
	ReasonConnectorNotFound = "ConnectorNotFound"
	// ReasonInvalidConnector: the Connector cannot be used as it is.
	ReasonInvalidConnector = "InvalidConnector"
	// ReasonInvalidProperty: a property is missing, is not one of the Connector's, or may not have that value.
	ReasonInvalidProperty = "InvalidProperty"
)

// ConditionRefreshHealthy says whether the access token can be kept fresh.
//
//   - True: reason Refreshed, also where there is nothing to refresh with and the token does not expire.
//   - False: ClientChanged, Misconfigured, RefreshOutcomeUnknown, RefreshFailing, NoRefreshToken or GrantExpiring, the first of them.
//   - Unknown: reason NotAttempted. There is no grant, it is dead, or Authorized says what keeps it from being used.
const ConditionRefreshHealthy = "RefreshHealthy"

// Reasons of ConditionRefreshHealthy.
const (
	// ReasonRefreshed: the last refresh, if there was one yet, has brought tokens.
	ReasonRefreshed = "Refreshed"
	// ReasonMisconfigured: the provider does not take the client or its requests; the grant is kept, and tried again when the client,
	// the Connector or the properties change.
	ReasonMisconfigured = "Misconfigured"
	// ReasonClientChanged: the grant is another client's than the one that is configured now. Put that back, or sign in again.
	ReasonClientChanged = "ClientChanged"
	// ReasonRefreshFailing: the provider does not answer, or says that it is busy; it is tried again.
	ReasonRefreshFailing = "RefreshFailing"
	// ReasonRefreshOutcomeUnknown: the refresh token may have been used, and no answer came; it is presented again when nothing is
	// lost by that.
	ReasonRefreshOutcomeUnknown = "RefreshOutcomeUnknown"
	// ReasonGrantExpiring: the grant ends soon, whatever is done; a user should sign in again before.
	ReasonGrantExpiring = "GrantExpiring"
	// ReasonNoRefreshToken: the provider gave none, so that a user must sign in again when the access token expires.
	ReasonNoRefreshToken = "NoRefreshToken"
)
