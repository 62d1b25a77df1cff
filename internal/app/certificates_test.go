// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"strings"
	"testing"
)

func TestCertificateOptions(t *testing.T) {
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf("n%d.example.com", i)
	}
	for _, row := range []struct {
		name   string
		change func(*CertificateOptions)
		// wrong is a part of the message; empty: the options are good.
		wrong string
	}{
		{name: "the defaults", change: func(*CertificateOptions) {}},
		{name: "names", change: func(o *CertificateOptions) {
			o.ServingDNSNames = []string{"auth.example.com", "Auth2.Example.com", "*.example.com"}
		}},
		{name: "an address", change: func(o *CertificateOptions) { o.ServingDNSNames = []string{"10.0.0.1"} }, wrong: "10.0.0.1 is an address"},
		{name: "a URL", change: func(o *CertificateOptions) { o.ServingDNSNames = []string{"https://auth.example.com"} }, wrong: "is not a DNS name"},
		{name: "an asterisk alone", change: func(o *CertificateOptions) { o.ServingDNSNames = []string{"*"} }, wrong: "is not a DNS name"},
		{name: "nothing between two commas", change: func(o *CertificateOptions) { o.ServingDNSNames = []string{"a.example.com", ""} }, wrong: "is not a DNS name"},
		{name: "too many", change: func(o *CertificateOptions) { o.ServingDNSNames = many }, wrong: "101 are more than 100"},
		{name: "names for nobody", change: func(o *CertificateOptions) {
			o.ManageCertificates, o.ServingDNSNames = false, []string{"auth.example.com"}
		}, wrong: "--serving-dns-names: with --manage-certificates=false"},
		{name: "no domain", change: func(o *CertificateOptions) { o.ClusterDomain = "." }, wrong: "--cluster-domain"},
	} {
		t.Run(row.name, func(t *testing.T) {
			options := ManagerOptions{Common: Common{Issuer: "https://auth.example.com", LogLevel: "info", LogFormat: "json"}}
			options.ManageCertificates = true
			row.change(&options.CertificateOptions)
			err := options.Complete()
			if row.wrong == "" && (err != nil || options.ClusterDomain != DefaultClusterDomain) {
				t.Errorf("got %v, domain %q", err, options.ClusterDomain)
			}
			if row.wrong != "" && (err == nil || !strings.Contains(err.Error(), row.wrong)) {
				t.Errorf("got %v", err)
			}
		})
	}
}
