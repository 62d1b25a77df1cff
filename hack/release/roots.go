// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/pem"
	"fmt"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// rootsPath is where Go looks first on Linux, and where operators put a file of their own over it.
const rootsPath = "etc/ssl/certs/ca-certificates.crt"

// roots gives the authorities that the image trusts, as PEM: those of Mozilla, as the module in go.mod has them. What the building
// machine has would be another file on each machine; here a build is the same everywhere, and a change of authorities a commit.
//
// A file cannot tell of an authority that is trusted only for what it signed before some day. Such are in it, as in the files of
// Linux distributions, one of which the Dockerfile takes.
func roots() ([]byte, error) {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, fmt.Errorf("encoding the authorities: %w", err)
		}
	}
	return out.Bytes(), nil
}
