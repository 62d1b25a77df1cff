// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
)

// advice says what to do about each reason of a condition.
var advice = map[string]string{
	v1alpha1.ReasonActive:     "Nothing to do: credentials of this Account may work.",
	v1alpha1.ReasonAllowed:    "Nothing to do: the rules allow it.",
	v1alpha1.ReasonPublished:  "Nothing to do: the Secret holds what it should.",
	v1alpha1.ReasonIssued:     "Nothing to do: the Secret can be traded for tokens.",
	v1alpha1.ReasonRegistered: "Nothing to do: tokens are issued for the resource.",
	v1alpha1.ReasonFound:      "Nothing to do: there is a ProtectedResource for every URL.",
	v1alpha1.ReasonAvailable:  "Nothing to do: accounts can be connected through this Connector.",
	v1alpha1.ReasonConnected:  "Nothing to do: the Secret holds a live access token.",
	v1alpha1.ReasonAuthorized: "Nothing to do: there is a grant.",
	v1alpha1.ReasonRefreshed:  "Nothing to do: the access token is kept fresh.",

	v1alpha1.ReasonSuspended: "Set spec.suspend to false when it may be used again; nothing else is lost.",
	v1alpha1.ReasonDeleting: "Remove the finalizers that hold it, if somebody else's controller does not; Claviger sets none, " +
		"and its tokens are dead already.",
	v1alpha1.ReasonInvalidSelector: "Mend spec.namespaces.selector; until then only the namespaces in spec.namespaces.names are allowed.",

	v1alpha1.ReasonAccountNotFound: "Create the Account, or mend spec.accountRef.name; it becomes Ready by itself when the Account comes.",
	v1alpha1.ReasonAccountSuspended: "Ask whoever runs the platform why the Account is suspended or being deleted; " +
		"it works again when the Account does.",
	v1alpha1.ReasonNamespaceNotAllowed: "Have this namespace added to the Account's spec.namespaces, or labelled as it selects, or move the object.",
	v1alpha1.ReasonConsoleNotAllowed: "Set spec.accountRef if an account was meant; otherwise create it in one of the namespaces named, " +
		"or add this one to --console-namespaces of every role.",
	v1alpha1.ReasonClientIDConflict: "Delete one of the two, or create this one anew with another spec.clientID, which cannot be changed.",
	v1alpha1.ReasonResourceConflict: "Change spec.url of one of the two, or delete one; the older one has the URL.",
	v1alpha1.ReasonResourceNotFound: "Mend spec.resources, or create the ProtectedResource; it is taken up by itself.",
	v1alpha1.ReasonResourceNotAllowed: "See the conditions of the ProtectedResource that has the URL; " +
		"tokens are issued for it again when the rules allow it.",
	v1alpha1.ReasonScopeNotAllowed: "Take the scope out of spec.scopes or, of a ClientCredential or ProtectedResource, add it to the Account's spec.scopes; " +
		"mind the letter case.",

	v1alpha1.ReasonValid: "Nothing to do: every key can be used.",
	v1alpha1.ReasonInvalidKeys: "Mend spec.jwks or spec.publicKeys, as the message says, and make another key where a private one was put there; " +
		"the other keys and the client secret go on working.",

	v1alpha1.ReasonSecretConflict:  "Delete that Secret if nobody needs it, or give another name in spec.secretTemplate.name.",
	v1alpha1.ReasonSecretNotFound:  "Create the Secret that the message names; it is taken up by itself.",
	v1alpha1.ReasonInvalidSecret:   "Put right the Secret, as the message says; what worked before goes on working.",
	v1alpha1.ReasonInvalidTemplate: "Mend spec.secretTemplate, as the message says; the Secret that is there stays as it is.",
	v1alpha1.ReasonTokenNotIssued: "Wait: it comes by itself, unless spec.revokeTokensBefore or the condition ResourcesFound of a ClientCredential " +
		"or the condition RefreshHealthy of a connection says what keeps it.",
	v1alpha1.ReasonKeysNotReady: "Wait a moment while the manager makes its keys; where it stays, read the manager's log, " +
		"and restore a damaged pepper from a backup.",
	v1alpha1.ReasonWriteFailed:  "Read the manager's log for what the API server said: a quota, a policy; it is tried again by itself.",
	v1alpha1.ReasonNotAttempted: "See the condition Allowed or, of a connection, Authorized first: nothing is done before it is met.",

	v1alpha1.ReasonSignInRequired: "Have a user sign in (" + program + " connect), or import tokens with spec.authValueFrom.",
	v1alpha1.ReasonReauthorizationRequired: "Have a user sign in again (" + program + " connect): the grant was taken back at the application, or has ended, " +
		"and the access token is served until it expires.",
	v1alpha1.ReasonConfirmationRequired: "Have the host's backend confirm the sign-in with the code that its page was given, or set spec.completion to Immediate " +
		"and sign in again.",
	v1alpha1.ReasonInvalidAuthValue: "Mend the AuthValue in the Secret that spec.authValueFrom names, as the message says; what was there before goes on.",
	v1alpha1.ReasonRecordDamaged: "Restore the Secret that the message names, or delete it and have a user sign in again (" + program + " connect); " +
		"that is for the platform team.",
	v1alpha1.ReasonConnectorNotFound: "Create the Connector, or take another in a new AccountConnector; it is taken up by itself when the Connector comes.",
	v1alpha1.ReasonInvalidConnector: "Mend the Connector, or the Secret of its app registration in the connections namespace, as the message says; " +
		"that is for the platform team.",
	v1alpha1.ReasonInvalidProperty: "Mend spec.properties, or the Secret that they name, as the message says.",
	v1alpha1.ReasonDiscoveryFailed: "Mend spec.issuer of the Connector, or name its endpoints, as the message says; it is asked again by itself.",
	v1alpha1.ReasonMisconfigured: "Correct the app registration, spec.properties or the Connector, as the message says; the grant is kept, " +
		"and presented again when one of them changes.",
	v1alpha1.ReasonClientChanged:  "Put back the client ID that the grant was given to, or have a user sign in again (" + program + " connect).",
	v1alpha1.ReasonRefreshFailing: "Wait: the application does not answer as it should, and is asked again by itself at least every 15 minutes.",
	v1alpha1.ReasonRefreshOutcomeUnknown: "Wait: the refresh token is presented again when nothing is lost by that; " +
		"where it stays so, have a user sign in again (" + program + " connect).",
	v1alpha1.ReasonGrantExpiring: "Have a user sign in again (" + program + " connect) before the grant ends.",
	v1alpha1.ReasonNoRefreshToken: "See that the Connector asks for a refresh token, which many applications give only for a scope or a parameter, " +
		"and have a user sign in again (" + program + " connect).",
}

const (
	adviceUnseen = "Make sure that the manager runs: it has not looked at this object yet."
	adviceBehind = "Make sure that the manager runs: it has not seen the last change of this object yet."
	adviceOther  = "Read the message of the condition: this plugin is older than what runs in the cluster."
)

// adviceFor says what to do so that an object becomes Ready; "" where it is.
func adviceFor(object metav1.Object, conditions []metav1.Condition) string {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return adviceUnseen
	case ready.ObservedGeneration < object.GetGeneration():
		return adviceBehind
	case ready.Status == metav1.ConditionTrue:
		return ""
	}
	if text, known := advice[ready.Reason]; known {
		return text
	}
	return adviceOther
}
