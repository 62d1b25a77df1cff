// SPDX-License-Identifier: Apache-2.0

// Package extauthz answers Envoy's external authorization over gRPC (envoy.service.auth.v3) with the verdicts of /verify.
package extauthz

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/peer"

	"github.com/claviger/claviger/internal/server/oauthapi"
)

// endpoint is what metrics call Check.
const endpoint = "ext_authz"

// service is the Authorization service.
type service struct {
	authv3.UnimplementedAuthorizationServer
	api *oauthapi.API
}

// Check judges one call. Every verdict is an answer; none is an error of gRPC, which a gateway might be told to let pass.
func (s *service) Check(ctx context.Context, check *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	finish := s.api.Metrics.Start(endpoint)
	attributes := check.GetAttributes()
	call := callOf(ctx, attributes.GetRequest().GetHttp())
	verdict := s.api.Judge(s.api.CallOf(call, guardOf(attributes.GetContextExtensions())))
	if !verdict.Admits() {
		finish(verdict.Refusal.Status)
		return denied(verdict.Refusal), nil
	}
	finish(http.StatusOK)
	return admitted(verdict, call.Header), nil
}

// guardOf gives the guard, which is the gateway's configuration: its context extensions. Nothing that a caller can choose is in
// them, as headers, path and metadata of the call are. Every name is passed on: one that is none of a guard's makes it admit nobody.
func guardOf(extensions map[string]string) string {
	guard := make(url.Values, len(extensions))
	for name, value := range extensions {
		guard.Set(name, value)
	}
	return guard.Encode()
}

// callOf gives the guarded call as far as it tells who calls: its headers, and the gateway as the peer. Envoy gives headers as a
// map, in which it has joined repeated ones by commas, or as they came; whatever there is counts, each time that it is there.
func callOf(ctx context.Context, call *authv3.AttributeContext_HttpRequest) *http.Request {
	header := http.Header{}
	add := func(name, value string) {
		if !strings.HasPrefix(name, ":") { // a pseudo-header of HTTP/2
			header.Add(name, value)
		}
	}
	for name, value := range call.GetHeaders() {
		add(name, value)
	}
	for _, line := range call.GetHeaderMap().GetHeaders() {
		add(line.GetKey(), valueOf(line))
	}
	request := &http.Request{Header: header}
	if gateway, ok := peer.FromContext(ctx); ok {
		request.RemoteAddr = gateway.Addr.String()
	}
	return request.WithContext(ctx)
}

func valueOf(line *corev3.HeaderValue) string {
	if raw := line.GetRawValue(); len(raw) > 0 {
		return string(raw)
	}
	return line.GetValue()
}
