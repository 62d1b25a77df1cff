// SPDX-License-Identifier: Apache-2.0

// Package oauthapi is the HTTP face of the issuer, one file an endpoint. Handlers translate: the request into the
// domain's terms, and the domain's answer into a response, a metric and an audit line.
package oauthapi

import (
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/source"
)

// API holds what the endpoints share. All of its fields are required, but for Proxies where nobody is trusted.
type API struct {
	Issuer *issuer.Service
	// IssuerURL is that of the Issuer.
	IssuerURL oauth.IssuerURL
	// AccountHeader is the request header that names the account a call concerns.
	AccountHeader string
	// Proxies may say where a request comes from.
	Proxies source.Proxies
	Metrics *Metrics
	Audit   audit.Log
	// AuditAllowed writes an event for every verdict that admits, too.
	AuditAllowed bool
}
