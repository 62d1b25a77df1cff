// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
)

func rfc8414() rfc {
	return rfc{
		number: 8414, title: "Authorization Server Metadata",
		scope:   "Sections 2 to 3.3. There is no signed metadata (section 2.1), and the members of options that Claviger does not have are absent.",
		clauses: append(rfc8414Members(), rfc8414Document()...),
	}
}

func rfc8414Members() []clause {
	return []clause{
		{section: "2", must: "name its issuer, an https URL without query and fragment", hold: func() {
			issuer, err := url.Parse(metadata()["issuer"].(string))
			Expect(err).NotTo(HaveOccurred())
			Expect(issuer.RawQuery + issuer.Fragment).To(BeEmpty())
			Expect(issuer.Scheme).To(Or(Equal("https"), Equal("http")))
		}, divergence: "The issuer may be an http URL on loopback, and elsewhere with --allow-plain-http."},
		{section: "2", must: "name the token endpoint, and one that answers", hold: func() {
			Expect(metadata()["token_endpoint"]).To(Equal(harness.Issuer + "/oauth/token"))
		}},
		{section: "2", must: "name the response types", hold: func() {
			Expect(metadata()["response_types_supported"]).To(Equal([]any{"code"}))
		}, divergence: "The member is required, and no response type is supported: there are no users. code is named all the same, and an authorization endpoint, because " +
			"clients refuse metadata without them or with an empty list (which section 3.2 forbids too). The endpoint answers every request with " +
			"unauthorized_client or another error of RFC 6749 section 4.1.2.1."},
		{section: "2", must: "name the grant types where they are not the default", hold: func() {
			Expect(metadata()["grant_types_supported"]).To(Equal([]any{"client_credentials"}))
		}},
		{section: "2", must: "name the methods of client authentication of each endpoint, and with methods that sign the algorithms, none not among them", hold: func() {
			document := metadata()
			for _, endpoint := range []string{"token", "revocation", "introspection"} {
				methods := document[endpoint+"_endpoint_auth_methods_supported"]
				Expect(methods).To(ContainElements("client_secret_basic", "client_secret_post"), endpoint)
				algorithms, named := document[endpoint+"_endpoint_auth_signing_alg_values_supported"]
				signs := strings.Contains(strings.Join(texts(methods), " "), "_jwt")
				Expect(named).To(Equal(signs), "%s: algorithms are named exactly where a method signs", endpoint)
				Expect(texts(algorithms)).NotTo(ContainElement("none"))
			}
		}},
		{section: "2", must: "name a jwks_uri whose keys say use where there are keys for signing and for encryption", hold: func() {
			var set struct{ Keys []map[string]any }
			Expect(json.Unmarshal([]byte(fetch(http.MethodGet, service.URL+"/oauth/jwks").Body), &set)).To(Succeed())
			Expect(metadata()["jwks_uri"]).To(Equal(harness.Issuer + "/oauth/jwks"))
			for _, key := range set.Keys {
				Expect(key).To(HaveKeyWithValue("use", "sig"))
			}
		}},
	}
}

func rfc8414Document() []clause {
	return []clause{
		{section: "3", must: "serve its metadata below /.well-known/oauth-authorization-server", hold: func() {
			Expect(fetch(http.MethodGet, service.URL+"/.well-known/oauth-authorization-server").Status).To(Equal(http.StatusOK))
		}, divergence: "The same document is below /.well-known/openid-configuration, for clients that know OpenID Connect Discovery alone. It has the members that those demand, " +
			"though there are no ID tokens."},
		{section: "3.1", must: "put the well-known path between the host and the path of the issuer", hold: func() {
			nested := plane.StartTokenServiceWith(withIssuer(harness.Issuer + "/tenant"))
			document := read(nested.URL + "/.well-known/oauth-authorization-server/tenant")
			Expect(document["issuer"]).To(Equal(harness.Issuer + "/tenant"))
			Expect(document["token_endpoint"]).To(Equal(harness.Issuer + "/tenant/oauth/token"))
		}, divergence: "It is found in front of the issuer's path too, and without it: clients confuse these."},
		{section: "3.2", must: "answer 200 with a JSON object in application/json", hold: func() {
			answer := fetch(http.MethodGet, service.URL+"/.well-known/oauth-authorization-server")
			Expect(answer.Status).To(Equal(http.StatusOK))
			Expect(answer.Header.Get("Content-Type")).To(Equal("application/json"))
		}},
		{section: "3.2", must: "leave out members that would have no elements", hold: func() {
			for name, value := range metadata() {
				Expect(value).NotTo(Or(BeNil(), Equal(""), Equal([]any{})), name)
			}
		}},
		{section: "3.3", must: "name exactly the issuer that the tokens of the server name", hold: func() {
			Expect(metadata()["issuer"]).To(Equal(claimsOf(webhookToken()).Issuer))
		}},
	}
}

// metadata gives the document of the service.
func metadata() map[string]any {
	GinkgoHelper()
	return read(service.URL + "/.well-known/oauth-authorization-server")
}

func read(url string) map[string]any {
	GinkgoHelper()
	var document map[string]any
	Expect(json.Unmarshal([]byte(fetch(http.MethodGet, url).Body), &document)).To(Succeed())
	return document
}

// texts gives a JSON array of strings.
func texts(array any) []string {
	values, _ := array.([]any)
	all := make([]string, 0, len(values))
	for _, value := range values {
		text, _ := value.(string)
		all = append(all, text)
	}
	return all
}
