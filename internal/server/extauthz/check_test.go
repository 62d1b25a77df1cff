// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/codes"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/oauthapi"
	"github.com/claviger/claviger/internal/server/respond"
)

func TestGuardComesFromContextExtensions(t *testing.T) {
	for _, row := range []struct {
		name       string
		extensions map[string]string
		guard      string
	}{
		{"none is an empty guard, which admits nobody", nil, ""},
		{"scope and account", map[string]string{"scope": "Webhook orders.read", "account": "acme"}, "account=acme&scope=Webhook+orders.read"},
		{"a resource", map[string]string{"resource": "acme/tools"}, "resource=acme%2Ftools"},
		{"a value cannot add a parameter", map[string]string{"scope": "MCP&account=other"}, "scope=MCP%26account%3Dother"},
		{"a name that is misspelt is not dropped, so that it is refused", map[string]string{"scope": "MCP", "acount": "acme"}, "acount=acme&scope=MCP"},
		{"an empty one stays, as a template that lost its variable", map[string]string{"scope": "MCP", "account": ""}, "account=&scope=MCP"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := guardOf(row.extensions); got != row.guard {
				t.Errorf("got %q, want %q", got, row.guard)
			}
		})
	}
}

func TestHeadersOfTheCall(t *testing.T) {
	raw := func(key, value string) *corev3.HeaderValue {
		return &corev3.HeaderValue{Key: key, RawValue: []byte(value)}
	}
	for _, row := range []struct {
		name string
		call *authv3.AttributeContext_HttpRequest
		want []string // of Authorization
	}{
		{"a call that is not HTTP has none", nil, nil},
		{"a map", &authv3.AttributeContext_HttpRequest{Headers: map[string]string{":path": "/", "authorization": "Bearer a"}}, []string{"Bearer a"}},
		{"a map in which Envoy joined two", &authv3.AttributeContext_HttpRequest{Headers: map[string]string{"authorization": "Bearer a,Bearer b"}}, []string{"Bearer a,Bearer b"}},
		{"a map whose keys are not in lower case", &authv3.AttributeContext_HttpRequest{Headers: map[string]string{"AUTHORIZATION": "Bearer a"}}, []string{"Bearer a"}},
		{
			"headers as they came, each of them",
			&authv3.AttributeContext_HttpRequest{HeaderMap: &corev3.HeaderMap{Headers: []*corev3.HeaderValue{raw("authorization", "Bearer a"), raw("authorization", "Bearer b")}}},
			[]string{"Bearer a", "Bearer b"},
		},
		{
			"both ways count",
			&authv3.AttributeContext_HttpRequest{
				Headers:   map[string]string{"authorization": "Bearer a"},
				HeaderMap: &corev3.HeaderMap{Headers: []*corev3.HeaderValue{{Key: "Authorization", Value: "Bearer b"}}},
			},
			[]string{"Bearer a", "Bearer b"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := callOf(t.Context(), row.call).Header["Authorization"]; !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestAdmitted(t *testing.T) {
	verdict := oauthapi.Verdict{Access: issuer.Access{ClientID: "claviger-system.console", Scopes: oauth.Scopes{"API"}, ExpiresAt: time.Unix(0, 0)}}
	caller := http.Header{}
	for _, name := range []string{"x-claviger-account", "x_claviger_account", "X-Claviger_Client-Id", "x-claviger-other", "x-clavigers", "authorization"} {
		caller.Add(name, "forged")
	}
	answer := admitted(verdict, caller)
	if answer.GetStatus().GetCode() != int32(codes.OK) {
		t.Errorf("status %v", answer.GetStatus())
	}
	var got []string
	for _, header := range answer.GetOkResponse().GetHeaders() {
		if header.GetAppendAction() != corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD || header.GetAppend() != nil { //nolint:staticcheck // SA1019: older Envoys go by it
			t.Errorf("%s does not overwrite", header.GetHeader().GetKey())
		}
		got = append(got, header.GetHeader().GetKey()+": "+header.GetHeader().GetValue())
	}
	want := []string{"x-claviger-client-id: claviger-system.console", "x-claviger-scope: API", "x-claviger-expires: 1970-01-01T00:00:00Z"}
	if !slices.Equal(got, want) {
		t.Errorf("set %q, want %q", got, want)
	}
	removed := answer.GetOkResponse().GetHeadersToRemove()
	slices.Sort(removed)
	if want := []string{"x-claviger-account", "x-claviger-other", "x-claviger_client-id", "x_claviger_account"}; !slices.Equal(removed, want) {
		t.Errorf("removed %q, want %q", removed, want)
	}
}

func TestDenied(t *testing.T) {
	for _, row := range []struct {
		name    string
		refusal respond.Refusal
		code    codes.Code
		headers int
	}{
		{"no token", respond.Refuse(oauth.ErrNoToken, oauth.Scopes{"MCP"}), codes.Unauthenticated, 2},
		{"a token that does not reach", respond.Refuse(oauth.InsufficientScope("not far enough"), oauth.Scopes{"MCP"}), codes.PermissionDenied, 3},
		{"a failure of ours is a denial too", respond.Refuse(oauth.ServerError(nil), nil), codes.PermissionDenied, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			answer := denied(row.refusal)
			response := answer.GetDeniedResponse()
			if answer.GetStatus().GetCode() != int32(row.code) || int(response.GetStatus().GetCode()) != row.refusal.Status || response.GetBody() != string(row.refusal.Body) {
				t.Errorf("got %v", answer)
			}
			if challenge := response.GetHeaders()[0].GetHeader(); challenge.GetKey() != "www-authenticate" || challenge.GetValue() != row.refusal.Challenge || len(response.GetHeaders()) != row.headers {
				t.Errorf("got headers %v", response.GetHeaders())
			}
		})
	}
}

// FuzzCall: whatever a call brings, reading it neither fails nor changes the guard, and no header that it forged is left.
func FuzzCall(f *testing.F) {
	f.Add("authorization", "Bearer a", "x-claviger-account", "scope", "MCP")
	f.Add("X_CLAVIGER-Scope", "", ":authority", "account", "acme&scope=API")
	f.Add("", "\x00", "\xff", "resource", "acme/tools")
	f.Fuzz(func(t *testing.T, name, value, raw, key, extension string) {
		guard, err := url.ParseQuery(guardOf(map[string]string{key: extension}))
		if err != nil || len(guard) != 1 || !slices.Equal(guard[key], []string{extension}) {
			t.Errorf("the guard %q=%q became %v, %v", key, extension, guard, err)
		}
		request := callOf(t.Context(), &authv3.AttributeContext_HttpRequest{
			Headers:   map[string]string{name: value},
			HeaderMap: &corev3.HeaderMap{Headers: []*corev3.HeaderValue{{Key: raw, RawValue: []byte(value)}}},
		})
		answer := admitted(oauthapi.Verdict{}, request.Header).GetOkResponse()
		for _, forged := range []string{name, raw} {
			lower := strings.ToLower(forged)
			if claims(forged) && !slices.Contains(answer.GetHeadersToRemove(), lower) && !slices.ContainsFunc(answer.GetHeaders(), func(h *corev3.HeaderValueOption) bool {
				return h.GetHeader().GetKey() == lower
			}) {
				t.Errorf("%q gets through", forged)
			}
		}
	})
}
