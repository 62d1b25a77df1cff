// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"net/http"

	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
)

// stage is one of the things that are asked about a token, in this order. The first that is not so decides.
type stage int

const (
	genuine stage = iota
	known
	allowed
	alive
	fitting
	good // all of them are so
)

// verdict is what the token service would say of a token, and why.
type verdict struct {
	access issuer.Access
	claims token.Claims
	// failed is the stage that was not passed.
	failed stage
	err    error
}

// judge asks the service itself, and then finds out at which stage it refused. Only the name of the stage is found here: the
// verdict is the service's.
func judge(service *issuer.Service, raw string, need issuer.Need) verdict {
	ring, _ := service.Keys.Ring()
	var v verdict
	var ungenuine error
	v.claims, ungenuine = token.Verify(raw, ring, token.Expect{Issuer: service.Issuer, Now: service.Now()})
	v.access, v.err = service.Authorize(raw, need)
	subject, exists := service.Directory.Subject(v.claims.ClientID)
	// A place that names no scope admits nobody, and says so only to a token that is alive.
	_, nowhere := service.Authorize(raw, issuer.Need{})
	switch {
	case v.err == nil:
		v.failed = good
	case ungenuine != nil:
		v.failed = genuine
	case !exists:
		v.failed = known
	case service.Rules.Judge(subject) != nil:
		v.failed = allowed
	case errors.Is(nowhere, &oauth.Error{Code: oauth.CodeInvalidToken}):
		v.failed = alive
	default:
		v.failed = fitting
	}
	return v
}

// status is that of an answer at the place (RFC 6750 section 3.1), and its error code.
func (v verdict) status() (int, string) {
	var refusal *oauth.Error
	switch {
	case v.err == nil:
		return http.StatusOK, ""
	case errors.As(v.err, &refusal) && refusal.Code == oauth.CodeInvalidToken:
		return http.StatusUnauthorized, refusal.Code
	case refusal != nil:
		return http.StatusForbidden, refusal.Code
	default:
		return http.StatusForbidden, oauth.CodeServerError
	}
}

// why gives the private cause of a refusal, which the token service writes into its audit log and tells no caller.
func (v verdict) why() string {
	if found, ok := fault.As(v.err); ok {
		return found.Error()
	}
	var refusal *oauth.Error
	if !errors.As(v.err, &refusal) {
		return v.err.Error()
	}
	if cause := errors.Unwrap(refusal); cause != nil {
		return cause.Error()
	}
	return refusal.Description
}

// advice says what to do about a refusal.
func (v verdict) advice() string {
	if found, ok := fault.As(v.err); ok && advice[found.Reason] != "" {
		return advice[found.Reason]
	}
	_, code := v.status()
	switch {
	case v.failed == genuine:
		return "Take a new token. Where new ones are refused too, make sure that they come from this token service."
	case v.failed == known:
		return "See which credentials there are: " + program + " status -A. This one was deleted, or has another client ID."
	case v.failed == alive:
		return "Take a new token, or undo what killed this one, which is named above."
	case code == oauth.CodeInsufficientScope:
		return "Take a token that reaches this far. A scope must be in spec.scopes of the credential; a restriction is asked for with the token."
	default:
		return "Take a token of the right credential: a place has a level and an account, and so has a token."
	}
}
