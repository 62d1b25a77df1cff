// SPDX-License-Identifier: Apache-2.0

package signin

// Problem is why a sign-in does not go on, for the user and for the host's page. As an error it names itself; it never quotes what was
// sent.
type Problem string

// Problems that the user's own page tells of, because there is nobody that it could go back to.
const (
	// LinkInvalid: parameters are missing, malformed, or not those that the link was made with.
	LinkInvalid Problem = "link_invalid"
	// LinkDead: the sign-in token is used, expired, or never was one. Nobody can tell these apart once it is gone.
	LinkDead Problem = "link_dead"
	// TargetNotAllowed: targetOrigin is not one of the allowed origins.
	TargetNotAllowed Problem = "target_not_allowed"
	// OtherBrowser: the answer came to another browser than the one that the sign-in began in, or that browser keeps no cookies.
	OtherBrowser Problem = "other_browser"
	// StateUnknown: the state is used, expired, of another connector, or never was one.
	StateUnknown Problem = "state_unknown"
	// CrossSite: the form was sent from another site, or the page stands in a frame that gets no cookies.
	CrossSite Problem = "cross_site"
	// TooMany: too many attempts from that address.
	TooMany Problem = "too_many"
	// Unavailable: the API server is away; trying again in a moment helps.
	Unavailable Problem = "unavailable"
)

// Problems that the sign-in completes with: the host's page is told, as error (RFC 6749 section 4.1.2.1).
const (
	// AccessDenied: the user, or the application, said no.
	AccessDenied Problem = "access_denied"
	// NotReady: the connection cannot be used as it is configured now, or is suspended.
	NotReady Problem = "not_ready"
	// ProviderError: the application answered with another error than access_denied, or with an iss that is not its own.
	ProviderError Problem = "provider_error"
	// ExchangeFailed: the application did not give tokens for the code.
	ExchangeFailed Problem = "exchange_failed"
	// Changed: the connection was deleted or changed while the user signed in.
	Changed Problem = "connection_changed"
)

func (p Problem) Error() string { return "the sign-in does not go on: " + string(p) }
