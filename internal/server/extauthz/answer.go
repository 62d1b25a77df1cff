// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"net/http"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"

	"github.com/claviger/claviger/internal/server/oauthapi"
	"github.com/claviger/claviger/internal/server/respond"
)

// admitted lets the call pass, with the headers of the verdict in place of the caller's own. One that has nothing to say is
// removed: Envoy does not promise to keep an empty value. So is everything that the caller spelt like one of them, because programs
// that read "_" as "-" would take it for one. Envoy sets before it removes.
func admitted(verdict oauthapi.Verdict, caller http.Header) *authv3.CheckResponse {
	answer := &authv3.OkHttpResponse{}
	ours := map[string]bool{}
	for _, header := range verdict.Headers() {
		ours[header.Name] = true
		if header.Value == "" {
			answer.HeadersToRemove = append(answer.HeadersToRemove, strings.ToLower(header.Name))
		} else {
			answer.Headers = append(answer.Headers, set(header.Name, header.Value))
		}
	}
	for name := range caller {
		if !ours[name] && claims(name) {
			answer.HeadersToRemove = append(answer.HeadersToRemove, strings.ToLower(name))
		}
	}
	return &authv3.CheckResponse{
		Status:       &status.Status{Code: int32(codes.OK)},
		HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: answer},
	}
}

// claims reports whether a header could be read as one of a verdict's.
func claims(name string) bool {
	return strings.HasPrefix(strings.ToLower(strings.ReplaceAll(name, "_", "-")), strings.ToLower(oauthapi.HeaderPrefix))
}

// denied refuses the call with what /verify would answer. It is a denial also where the failure is ours: an error would pass where
// a gateway is configured to admit calls on errors (failure_mode_allow).
func denied(refusal respond.Refusal) *authv3.CheckResponse {
	code := codes.PermissionDenied
	if refusal.Status == http.StatusUnauthorized {
		code = codes.Unauthenticated
	}
	headers := []*corev3.HeaderValueOption{set("WWW-Authenticate", refusal.Challenge), set("Cache-Control", respond.CacheControl)}
	if len(refusal.Body) > 0 {
		headers = append(headers, set("Content-Type", respond.ContentType))
	}
	return &authv3.CheckResponse{
		Status: &status.Status{Code: int32(code)},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{
			Status:  &typev3.HttpStatus{Code: typev3.StatusCode(refusal.Status)}, //nolint:gosec // G115: 401 or 403
			Headers: headers,
			Body:    string(refusal.Body),
		}},
	}
}

// set overwrites. An Envoy that does not know append_action yet does so too, because append is not set.
func set(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: strings.ToLower(name), Value: value},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}
