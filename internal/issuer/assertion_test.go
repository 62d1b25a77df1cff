// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/assertion"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/limit"
	"github.com/claviger/claviger/test/builder"
)

const clusterIssuer = "https://kubernetes.default.svc.cluster.local"

// signer has a key, of which others have the public half.
type signer struct {
	private *ecdsa.PrivateKey
	set     string
}

func newSigner(t *testing.T) signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "k"}}})
	if err != nil {
		t.Fatal(err)
	}
	return signer{private, string(set)}
}

// sign signs claims of acme.orders for the issuer, changed by others.
func (s signer) sign(t *testing.T, change jwt.MapClaims) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": "acme.orders", "sub": "acme.orders", "aud": issuerURL, "exp": noon.Add(time.Minute).Unix(), "jti": "1"}
	maps.Copy(claims, change)
	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	token.Header["kid"] = "k"
	raw, err := token.SignedString(s.private)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// pod signs a ServiceAccount token.
func (s signer) pod(t *testing.T, namespace, name string, change jwt.MapClaims) string {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": clusterIssuer, "sub": "system:serviceaccount:" + namespace + ":" + name,
		"iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix(),
		"kubernetes.io": map[string]any{"namespace": namespace, "serviceaccount": map[string]any{"name": name}},
	}
	maps.Copy(claims, change)
	return s.sign(t, claims)
}

// cluster is an API server's keys, which may be asked for.
type cluster struct {
	known *assertion.Cluster
	asked int
	just  bool
}

func (c *cluster) Cluster() (*assertion.Cluster, bool) { return c.known, c.known != nil }
func (c *cluster) Ask() bool                           { c.asked++; return !c.just }

func clusterOf(t *testing.T, key signer) *cluster {
	t.Helper()
	keys, err := assertion.ReadKeys(key.set, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{known: &assertion.Cluster{Issuer: clusterIssuer, Keys: keys}}
}

func byKey(clientID, raw string) oauth.ClientAuthentication {
	return oauth.ClientAuthentication{
		Method: oauth.MethodPrivateKeyJWT, Endpoint: oauth.PathToken, Assertion: oauth.Assertion{ClientID: clientID, JWT: oauth.NewSecret(raw)},
	}
}

func byPod(clientID, raw string) oauth.ClientAuthentication {
	client := byKey(clientID, raw)
	client.Method = oauth.MethodServiceAccountToken
	return client
}

// TestPrivateKeyJWT: a client authenticates with an assertion.
func TestPrivateKeyJWT(t *testing.T) {
	own, others := newSigner(t), newSigner(t)
	const noKey = "no key of the client verifies the assertion"
	for _, row := range []struct {
		name         string
		client       oauth.ClientAuthentication
		happen       func(*world)
		code, reason string
	}{
		{name: "with its own key", client: byKey("acme.orders", own.sign(t, nil))},
		{name: "for the token endpoint", client: byKey("acme.orders", own.sign(t, jwt.MapClaims{"aud": issuerURL + "/oauth/token"}))},
		{name: "for another endpoint", client: byKey("acme.orders", own.sign(t, jwt.MapClaims{"aud": issuerURL + "/oauth/revoke"})), code: oauth.CodeInvalidClient, reason: "the assertion is for another audience than https://auth.example.com or https://auth.example.com/oauth/token"},
		{name: "with another key", client: byKey("acme.orders", others.sign(t, nil)), code: oauth.CodeInvalidClient, reason: noKey},
		{name: "as a client that has no keys", client: byKey("acme.agents", own.sign(t, jwt.MapClaims{"iss": "acme.agents", "sub": "acme.agents"})), code: oauth.CodeInvalidClient, reason: noKey},
		{name: "as a client that there is not", client: byKey("acme.nobody", own.sign(t, jwt.MapClaims{"iss": "acme.nobody", "sub": "acme.nobody"})), code: oauth.CodeInvalidClient, reason: noKey},
		{name: "of another client", client: byKey("acme.agents", own.sign(t, nil)), code: oauth.CodeInvalidClient, reason: "the assertion's iss and sub are not the client"},
		{name: "a ServiceAccount token under a false name", client: byKey("acme.orders", own.pod(t, "acme", "orders", nil)), code: oauth.CodeInvalidClient, reason: "the assertion's iss and sub are not the client"},
		{name: "that has expired", client: byKey("acme.orders", own.sign(t, jwt.MapClaims{"exp": noon.Unix()})), code: oauth.CodeInvalidClient, reason: "the assertion has expired"},
		{name: "of a suspended client", client: byKey("acme.orders", own.sign(t, nil)), happen: func(w *world) {
			w.credential("acme", "orders", builder.ForAccount("acme"), builder.JWKS(own.set), builder.Suspended())
		}, code: oauth.CodeInvalidClient, reason: v1alpha1.ReasonSuspended},
		{name: "with a key that was taken away", client: byKey("acme.orders", own.sign(t, nil)), happen: func(w *world) {
			w.credential("acme", "orders", builder.ForAccount("acme"), builder.JWKS(others.set))
		}, code: oauth.CodeInvalidClient, reason: noKey},
		{name: "with its key beside one that is no good", client: byKey("acme.orders", own.sign(t, nil)), happen: func(w *world) {
			w.credential("acme", "orders", builder.ForAccount("acme"), builder.JWKS(own.set), builder.PublicKeys("x"))
		}},
		{name: "the pepper is not needed", client: byKey("acme.orders", own.sign(t, nil)), happen: func(w *world) {
			w.Keys = noPepper{w.keys}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			w.credential("acme", "orders", builder.ForAccount("acme"), builder.JWKS(own.set))
			if row.happen != nil {
				row.happen(w)
			}
			grant, err := w.Issue(oauth.TokenRequest{Client: row.client})
			if codeOf(err) != row.code || err != nil && causeOf(err) != row.reason {
				t.Fatalf("got %v", err)
			}
			if err == nil && (grant.ClientID != "acme.orders" || w.claims(t, grant.AccessToken).SecretID == "") {
				t.Errorf("got %+v", grant)
			}
			if err != nil && err.(*oauth.Error).Description != "client authentication failed" { //nolint:errorlint // that is what it is
				t.Errorf("the client is told %v", err)
			}
		})
	}
}

// noPepper has signing keys only.
type noPepper struct{ *kube.Keys }

func (noPepper) Pepper() (credential.Pepper, bool) { return credential.Pepper{}, false }

// TestReplay: an assertion is good once, wherever it is used; its client's next one is good again.
func TestReplay(t *testing.T) {
	own := newSigner(t)
	b := &book{world: newWorld(t)}
	b.Revoker = b
	b.credential("acme", "orders", builder.ForAccount("acme"), builder.JWKS(own.set))
	raw := b.issue(t, "acme.orders").AccessToken
	issue := func(client oauth.ClientAuthentication) error {
		_, err := b.Issue(oauth.TokenRequest{Client: client})
		return err
	}
	revoke := func(client oauth.ClientAuthentication) error {
		client.Endpoint = oauth.PathRevoke
		_, err := b.Service.Revoke(t.Context(), oauth.RevocationRequest{Client: client, Token: raw})
		return err
	}
	introspect := func(client oauth.ClientAuthentication) error {
		client.Endpoint = oauth.PathIntrospect
		_, err := b.Introspect(oauth.IntrospectionRequest{Client: client, Token: raw})
		return err
	}
	one, two := own.sign(t, nil), own.sign(t, jwt.MapClaims{"jti": "2", "aud": issuerURL + "/oauth/introspect"})
	for _, row := range []struct {
		name, raw string
		use       func(oauth.ClientAuthentication) error
		cause     string
	}{
		{"the first use", one, issue, ""},
		{"the same again", one, issue, "the assertion was used before"},
		{"at another endpoint", one, revoke, "the assertion was used before"},
		{"at a third", one, introspect, "the assertion was used before"},
		{"the same jti in another assertion", own.sign(t, jwt.MapClaims{"nbf": noon.Unix()}), issue, "the assertion was used before"},
		{"one for introspection, at the token endpoint", two, issue, "the assertion is for another audience than https://auth.example.com or https://auth.example.com/oauth/token"},
		{"was not used up by that", two, introspect, ""},
	} {
		err := row.use(byKey("acme.orders", row.raw))
		if got := ""; err != nil {
			if got = causeOf(err); got != row.cause || codeOf(err) != oauth.CodeInvalidClient {
				t.Errorf("%s: %v", row.name, err)
			}
		} else if row.cause != "" {
			t.Errorf("%s: accepted", row.name)
		}
	}
}

// TestTokensDieWithTheirKey: with rotation.revokeTokens, as they do with their secret.
func TestTokensDieWithTheirKey(t *testing.T) {
	own, next := newSigner(t), newSigner(t)
	for _, row := range []struct {
		name    string
		options []builder.CredentialOption
		want    string
	}{
		{"the key stays", []builder.CredentialOption{builder.JWKS(own.set), builder.RevokeTokensWithSecret()}, yes},
		{"the key is replaced", []builder.CredentialOption{builder.JWKS(next.set), builder.RevokeTokensWithSecret()}, un},
		{"the key is replaced, and tokens live on", []builder.CredentialOption{builder.JWKS(next.set)}, yes},
	} {
		w := newWorld(t)
		w.credential("acme", "orders", builder.ForAccount("acme"), builder.JWKS(own.set))
		grant, err := w.Issue(oauth.TokenRequest{Client: byKey("acme.orders", own.sign(t, nil))})
		if err != nil {
			t.Fatal(err)
		}
		w.credential("acme", "orders", append(row.options, builder.ForAccount("acme"))...)
		if _, err := w.Authorize(grant.AccessToken, places()["acme's webhook"]); verdictOf(err) != row.want {
			t.Errorf("%s: got %v", row.name, err)
		}
	}
}

// TestServiceAccountToken: a workload authenticates as acme.orders, which trusts the ServiceAccount orders of its namespace.
func TestServiceAccountToken(t *testing.T) {
	api, others := newSigner(t), newSigner(t)
	other := "the ServiceAccount is none that may authenticate as the client"
	for _, row := range []struct {
		name         string
		client       oauth.ClientAuthentication
		happen       func(*world, *cluster)
		code, reason string
		// asked says that the API server's keys are looked at anew.
		asked int
	}{
		{name: "its own", client: byPod("acme.orders", api.pod(t, "acme", "orders", nil))},
		{name: "another one of the namespace", client: byPod("acme.orders", api.pod(t, "acme", "default", nil)), code: oauth.CodeInvalidClient, reason: other},
		{name: "one of its name in another namespace", client: byPod("acme.orders", api.pod(t, "beta", "orders", nil)), code: oauth.CodeInvalidClient, reason: other},
		{name: "of a client that trusts none", client: byPod("acme.agents", api.pod(t, "acme", "orders", nil)), code: oauth.CodeInvalidClient, reason: other},
		{name: "of a client that there is not", client: byPod("acme.nobody", api.pod(t, "acme", "orders", nil)), code: oauth.CodeInvalidClient, reason: "no such client"},
		{name: "for somebody else", client: byPod("acme.orders", api.pod(t, "acme", "orders", jwt.MapClaims{"aud": "https://b"})), code: oauth.CodeInvalidClient, reason: "the assertion is for another audience than https://auth.example.com"},
		{name: "signed by somebody else under the API server's kid", client: byPod("acme.orders", others.pod(t, "acme", "orders", nil)), code: oauth.CodeInvalidClient, reason: "the ServiceAccount token is tampered with"},
		{name: "after the client was suspended", client: byPod("acme.orders", api.pod(t, "acme", "orders", nil)), happen: func(w *world, _ *cluster) {
			w.credential("acme", "orders", builder.ForAccount("acme"), builder.ServiceAccounts("orders"), builder.Suspended())
		}, code: oauth.CodeInvalidClient, reason: v1alpha1.ReasonSuspended},
		{name: "after the client trusts it no longer", client: byPod("acme.orders", api.pod(t, "acme", "orders", nil)), happen: func(w *world, _ *cluster) {
			w.credential("acme", "orders", builder.ForAccount("acme"))
		}, code: oauth.CodeInvalidClient, reason: other},
		{name: "before the API server's keys are known", client: byPod("acme.orders", api.pod(t, "acme", "orders", nil)), happen: func(_ *world, c *cluster) { c.known = nil }, code: oauth.CodeServerError, reason: "the API server's keys for ServiceAccount tokens are not known yet"},
		{name: "with a key that is not known yet", client: byPod("acme.orders", api.pod(t, "acme", "orders", nil)), happen: func(_ *world, c *cluster) { c.known = &assertion.Cluster{Issuer: clusterIssuer} }, code: oauth.CodeServerError, reason: assertion.ErrUnknownKey.Error(), asked: 1},
		{name: "with a key that is not known, though it was looked for just now", client: byPod("acme.orders", api.pod(t, "acme", "orders", nil)), happen: func(_ *world, c *cluster) {
			c.known, c.just = &assertion.Cluster{Issuer: clusterIssuer}, true
		}, code: oauth.CodeInvalidClient, reason: assertion.ErrUnknownKey.Error(), asked: 1},
		{name: "where none are accepted", client: byPod("acme.orders", api.pod(t, "acme", "orders", nil)), happen: func(w *world, _ *cluster) { w.ClusterKeys = nil }, code: oauth.CodeInvalidClient, reason: "ServiceAccount tokens are not accepted here"},
		{name: "without naming a client", client: byPod("", api.pod(t, "acme", "orders", nil)), code: oauth.CodeInvalidClient, reason: "no such client"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w, keys := newWorld(t), clusterOf(t, api)
			w.ClusterKeys = keys
			w.credential("acme", "orders", builder.ForAccount("acme"), builder.ServiceAccounts("orders"))
			if row.happen != nil {
				row.happen(w, keys)
			}
			for range 2 { // the kubelet gives a pod one token for an hour
				grant, err := w.Issue(oauth.TokenRequest{Client: row.client})
				if codeOf(err) != row.code || err != nil && causeOf(err) != row.reason {
					t.Fatalf("got %v", err)
				}
				if err == nil && (grant.ClientID != "acme.orders" || grant.ServiceAccount.Path() != "acme/orders") {
					t.Errorf("got %+v", grant)
				}
			}
			if keys.asked != 2*row.asked {
				t.Errorf("the keys were asked for %d times", keys.asked)
			}
		})
	}
}

// TestIntrospectionByServiceAccounts: who asks with the token of a ServiceAccount may know of the accounts that hold its namespace.
func TestIntrospectionByServiceAccounts(t *testing.T) {
	api := newSigner(t)
	w := newWorld(t)
	w.ClusterKeys = clusterOf(t, api)
	w.account("gamma", builder.Namespaces("acme", "gamma"))
	w.credential("gamma", "orders", builder.ForAccount("gamma"))
	const active, inactive = "active", "inactive"
	callers := []string{"acme", "beta", "gamma", "platform", "elsewhere"}
	for _, row := range []struct {
		name, token string
		want        []string
	}{
		{"of acme", w.issue(t, "acme.orders").AccessToken, []string{active, inactive, inactive, active, inactive}},
		{"of beta", w.issue(t, "beta.orders").AccessToken, []string{inactive, active, inactive, active, inactive}},
		{"of gamma, which holds acme's namespace too", w.issue(t, "gamma.orders").AccessToken, []string{active, inactive, active, active, inactive}},
		{"of the console", w.issue(t, "platform.console").AccessToken, []string{inactive, inactive, inactive, active, inactive}},
		{"of the console, restricted to acme", w.issue(t, "platform.console", "account:acme").AccessToken, []string{inactive, inactive, inactive, active, inactive}},
		{"of nobody", "x", []string{inactive, inactive, inactive, inactive, inactive}},
	} {
		for i, namespace := range callers {
			t.Run("a token "+row.name+", asked for from "+namespace, func(t *testing.T) {
				outcome, err := w.Introspect(oauth.IntrospectionRequest{Client: byPod("", api.pod(t, namespace, "default", nil)), Token: row.token})
				got := active
				if outcome.Inactive != nil {
					got = inactive
				}
				if err != nil || got != row.want[i] || outcome.ServiceAccount.Path() != namespace+"/default" {
					t.Errorf("got %s, %+v, %v", got, outcome, err)
				}
			})
		}
	}
	for name, raw := range map[string]string{
		"for somebody else": api.pod(t, "acme", "default", jwt.MapClaims{"aud": "https://b"}),
		"an access token":   w.issue(t, "acme.orders").AccessToken,
		"no token":          "canary-0123456789",
	} {
		_, err := w.Introspect(oauth.IntrospectionRequest{Client: byPod("", raw), Token: "x"})
		if codeOf(err) != oauth.CodeInvalidToken || strings.Contains(err.Error(), raw) {
			t.Errorf("a caller's token, %s: %v", name, err)
		}
	}
}

// TestFailureBudgetOfAssertions: a wrong assertion costs as much as a wrong secret, and so does a replayed one.
func TestFailureBudgetOfAssertions(t *testing.T) {
	own, others := newSigner(t), newSigner(t)
	for name, raw := range map[string]string{"a wrong key": others.sign(t, nil), "a replay": own.sign(t, nil)} {
		w := newWorld(t)
		w.credential("acme", "orders", builder.ForAccount("acme"), builder.JWKS(own.set))
		if _, err := w.Issue(oauth.TokenRequest{Client: byKey("acme.orders", own.sign(t, nil))}); err != nil {
			t.Fatal(err)
		}
		w.budgets(limit.FailureBudgets{Pair: three}, limit.Budget{})
		for range 3 {
			if got := w.answer(byKey("acme.orders", raw)); got != oauth.CodeInvalidClient {
				t.Errorf("%s: %s", name, got)
			}
		}
		if got := w.answer(byKey("acme.orders", own.sign(t, jwt.MapClaims{"jti": "2"}))); got != oauth.CodeTemporarilyUnavailable {
			t.Errorf("%s: after three, a good one gets %q", name, got)
		}
	}
}
