// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the API of Claviger: the kinds that platform teams write, the conditions and reasons that
// Claviger answers with, and the names (labels, Secret keys) that other programs may rely on.
//
// +kubebuilder:object:generate=true
// +groupName=claviger.dev
package v1alpha1
