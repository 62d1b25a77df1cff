// SPDX-License-Identifier: Apache-2.0

package assertion_test

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/internal/assertion"
)

const clusterIssuer = "https://kubernetes.default.svc.cluster.local"

func serviceAccountToken(change map[string]any) draft {
	return draft{signer: "rsa", alg: "RS256", header: map[string]any{"kid": "rsa"}, claims: changed(jwt.MapClaims{
		"iss": clusterIssuer, "sub": "system:serviceaccount:acme:orders", "aud": []string{issuer}, "jti": "1",
		"exp": in(time.Hour), "iat": in(0), "nbf": in(0),
		"kubernetes.io": map[string]any{
			"namespace": "acme", "serviceaccount": map[string]any{"name": "orders", "uid": "u"}, "pod": map[string]any{"name": "p", "uid": "u"},
		},
	}, change)}
}

func TestVerifyServiceAccount(t *testing.T) {
	header := func(signer, alg string, header map[string]any) draft {
		d := serviceAccountToken(nil)
		d.signer, d.alg, d.header = signer, alg, header
		return d
	}
	named := func(namespace, name any) map[string]any {
		return map[string]any{"kubernetes.io": map[string]any{"namespace": namespace, "serviceaccount": map[string]any{"name": name}}}
	}
	const (
		nobody = "the assertion is for another audience than " + issuer
		none   = "the token is not of a ServiceAccount"
		noKey  = "the ServiceAccount token is of a key that the API server does not publish"
	)
	cluster := assertion.Cluster{Issuer: clusterIssuer, Keys: read(t, setOf(t, jwk(t, "rsa", nil), jwk(t, "p256", nil)))}
	for _, row := range []struct {
		name  string
		draft draft
		spoil func(string) string
		want  string
	}{
		{name: "a token of the kubelet is good", draft: serviceAccountToken(nil)},
		{name: "by another of the cluster's keys", draft: header("p256", "ES256", map[string]any{"kid": "p256"})},
		{name: "by PS256, which the key can make too", draft: header("rsa", "PS256", map[string]any{"kid": "rsa"})},
		{name: "text is no token", draft: serviceAccountToken(nil), spoil: func(string) string { return "canary-0123456789" }, want: "the assertion is not a JWT"},
		{name: "alg none", draft: header("rsa", "none", map[string]any{"kid": "rsa"}), want: "the assertion's alg is not accepted"},
		{name: "a public key as shared secret", draft: header("rsa", "HS256", map[string]any{"kid": "rsa"}), want: "the assertion's alg is not accepted"},
		{name: "a critical extension", draft: header("rsa", "RS256", map[string]any{"kid": "rsa", "crit": []string{"x"}}), want: "the assertion has critical extensions"},
		{name: "another type", draft: header("rsa", "RS256", map[string]any{"kid": "rsa", "typ": "at+jwt"}), want: "the assertion is a JWT of another type"},
		{name: "no kid", draft: header("rsa", "RS256", nil), want: noKey},
		{name: "a kid that the API server does not publish", draft: header("rsa", "RS256", map[string]any{"kid": "x"}), want: noKey},
		{name: "the kid of a key of another algorithm", draft: header("p256", "ES256", map[string]any{"kid": "rsa"}), want: noKey},
		{name: "another key under a kid of the cluster", draft: header("other", "ES256", map[string]any{"kid": "p256"}), want: "the ServiceAccount token is tampered with"},
		{name: "another cluster's issuer", draft: serviceAccountToken(map[string]any{"iss": "https://b"}), want: "the ServiceAccount token is of another issuer"},
		{name: "a token for the API server", draft: serviceAccountToken(map[string]any{"aud": clusterIssuer}), want: nobody},
		{name: "for the token endpoint's URL, which is not the issuer", draft: serviceAccountToken(map[string]any{"aud": tokenURL}), want: nobody},
		{name: "no audience", draft: serviceAccountToken(map[string]any{"aud": nil}), want: nobody},
		{name: "for several, us among them", draft: serviceAccountToken(map[string]any{"aud": []string{clusterIssuer, issuer}})},
		{name: "expired", draft: serviceAccountToken(map[string]any{"exp": in(0)}), want: "the assertion has expired"},
		{name: "a token of old that never expires", draft: serviceAccountToken(map[string]any{"exp": nil}), want: "the assertion has no exp"},
		{name: "no iat", draft: serviceAccountToken(map[string]any{"iat": nil}), want: "the ServiceAccount token has no iat"},
		{name: "from the future", draft: serviceAccountToken(map[string]any{"iat": in(2 * time.Minute)}), want: "the assertion is from the future"},
		{name: "not valid yet", draft: serviceAccountToken(map[string]any{"nbf": in(2 * time.Minute)}), want: "the assertion is not valid yet"},
		{name: "a day", draft: serviceAccountToken(map[string]any{"exp": in(24 * time.Hour)})},
		{name: "longer than a day", draft: serviceAccountToken(map[string]any{"exp": in(24*time.Hour + time.Second)}), want: "the ServiceAccount token lives longer than 24h0m0s"},
		{name: "a year that is nearly over", draft: serviceAccountToken(map[string]any{"iat": in(-364 * 24 * time.Hour), "exp": in(time.Minute)}), want: "the ServiceAccount token lives longer than 24h0m0s"},
		{name: "no jti is asked for", draft: serviceAccountToken(map[string]any{"jti": nil})},
		{name: "no claims of Kubernetes", draft: serviceAccountToken(map[string]any{"kubernetes.io": nil}), want: none},
		{name: "no namespace", draft: serviceAccountToken(named("", "orders")), want: none},
		{name: "no name", draft: serviceAccountToken(named("acme", "")), want: none},
		{name: "sub names another namespace", draft: serviceAccountToken(named("beta", "orders")), want: none},
		{name: "sub names another ServiceAccount", draft: serviceAccountToken(named("acme", "default")), want: none},
		{name: "sub names a user", draft: serviceAccountToken(map[string]any{"sub": "jane"}), want: none},
		{name: "a name that is no text", draft: serviceAccountToken(named("acme", 1)), want: "the assertion is not a JWT"},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw := row.draft.sign(t)
			if row.spoil != nil {
				raw = row.spoil(raw)
			}
			got, err := cluster.Verify(raw, issuer, noon)
			switch {
			case row.want == "" && (err != nil || got != assertion.ServiceAccount{Namespace: "acme", Name: "orders"}):
				t.Errorf("got %v, %v", got, err)
			case row.want != "" && (err == nil || err.Error() != row.want || got != assertion.ServiceAccount{}):
				t.Errorf("got %v, %v", got, err)
			case err != nil && quotes(err.Error(), raw):
				t.Errorf("the error quotes the token: %v", err)
			}
		})
	}
}

// FuzzVerifyServiceAccount: nothing passes but what the cluster has signed.
func FuzzVerifyServiceAccount(f *testing.F) {
	cluster := assertion.Cluster{Issuer: clusterIssuer, Keys: read(f, setOf(f, jwk(f, "rsa", nil)))}
	genuine := serviceAccountToken(nil).sign(f)
	f.Add(genuine)
	f.Add(lineBreak(genuine))
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, raw string) {
		account, err := cluster.Verify(raw, issuer, noon)
		if err == nil && raw != genuine {
			t.Fatalf("accepted %q as %v", raw, account)
		}
		if err != nil && quotes(err.Error(), raw) {
			t.Fatalf("the error quotes the token: %v", err)
		}
	})
}
