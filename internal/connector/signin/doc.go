// SPDX-License-Identifier: Apache-2.0

// Package signin is the sign-in of a user in a browser, by which an account's connection gets its grant: a link that works once, a page
// that says what it is about, the authorization request (RFC 6749 section 4.1.1, RFC 7636), the answer (RFC 9207), the exchange of the
// code, and the completion, which tells the host.
//
// It knows neither Kubernetes nor HTTP.
package signin
