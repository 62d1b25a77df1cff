// SPDX-License-Identifier: Apache-2.0

// Package connector keeps the grant of an account at a third-party application alive. A refresh is a side effect that can be neither
// repeated nor undone where the provider replaces refresh tokens, done by replicas that die, pause and race. So there is a record,
// which is written under the version that it was read with, and in it an intent before a request and the tokens after it; Next says
// what to do, whatever is found. docs/refresh-protocol.md tells the whole of it.
//
// The package knows neither Kubernetes nor HTTP.
package connector
