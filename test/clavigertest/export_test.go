// SPDX-License-Identifier: Apache-2.0

package clavigertest

// KillAPIServer ends kube-apiserver without warning.
func (k *Kit) KillAPIServer() { k.plane.KillAPIServer() }

// Dir is where the kit has its files.
func (k *Kit) Dir() string { return k.dir }

// HasControllers reports whether there is a kube-controller-manager.
func (k *Kit) HasControllers() bool { return k.plane.HasControllers() }
