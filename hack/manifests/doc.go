// SPDX-License-Identifier: Apache-2.0

// Package manifests holds what is in config and docs/gateways to the software that reads it: alerts and the dashboard to Prometheus, health
// checks to Lua, statuses to kstatus, configurations of gateways to the definitions of their kinds. It is a module of its own, so that nothing
// of theirs reaches the go.mod of the product. Give go test -count 1: Go's cache does not know of files outside a module.
package manifests
