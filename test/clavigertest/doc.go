// SPDX-License-Identifier: Apache-2.0

// Package clavigertest runs Claviger inside a test: a real etcd and kube-apiserver with Claviger's CRDs on it, its manager and its
// token service, each under its own ServiceAccount and rights as in a cluster. With it people test their manifests, their OAuth
// clients and their own controllers.
//
//	func TestOurCredentialsWork(t *testing.T) {
//		kit := clavigertest.Start(t)
//		kit.WaitReady(t, kit.Apply(t, "deploy/claviger.yaml")...)
//		...
//	}
//
// Start ends the kit with the test. Tests that share one start it with Run in their TestMain. Methods that take a testing.TB fail the
// test where something goes wrong; those whose names end in Context give an error instead.
//
// The binaries etcd and kube-apiserver are those of envtest: they are looked for in $KUBEBUILDER_ASSETS.
//
// No secret is in what the kit logs, in its errors or in what it tells a failing test.
package clavigertest
