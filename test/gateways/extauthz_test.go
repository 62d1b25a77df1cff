// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

// envoy is a connection to the gRPC port.
var envoy *grpc.ClientConn

func dialExtAuthz() {
	GinkgoHelper()
	var err error
	envoy, err = grpc.NewClient("dns:///"+extAuthzAddress, grpc.WithTransportCredentials(insecure.NewCredentials()))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(envoy.Close)
}

// check makes what Envoy sends: the guard as context extensions, and the call with all its headers.
func check(token string, at matrix.Place, more ...string) *authv3.CheckRequest {
	GinkgoHelper()
	guard, err := url.ParseQuery(at.Guard)
	Expect(err).NotTo(HaveOccurred())
	extensions := map[string]string{}
	for name := range guard {
		extensions[name] = guard.Get(name)
	}
	headers := map[string]string{":method": "POST", ":path": "/orders?scope=API&account=other", ":authority": "hooks.acme.example"}
	if token != "" {
		headers["authorization"] = "Bearer " + token
	}
	for _, pairs := range [][]string{at.Headers(), more} {
		for i := 0; i+1 < len(pairs); i += 2 {
			headers[strings.ToLower(pairs[i])] = pairs[i+1]
		}
	}
	return &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		ContextExtensions: extensions,
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
			Method: "POST", Path: "/orders?scope=API&account=other", Host: "hooks.acme.example", Headers: headers,
		}},
	}}
}

func asks(request *authv3.CheckRequest) *authv3.CheckResponse {
	GinkgoHelper()
	answer, err := authv3.NewAuthorizationClient(envoy).Check(context.Background(), request)
	Expect(err).NotTo(HaveOccurred())
	return answer
}

// envoyGRPC plays the gRPC ext_authz of Envoy, up to what the caller sees.
func envoyGRPC(token string, at matrix.Place) harness.Answer {
	GinkgoHelper()
	answer := asks(check(token, at))
	header := http.Header{}
	if answer.GetStatus().GetCode() == int32(codes.OK) {
		Expect(answer.GetOkResponse()).NotTo(BeNil())
		return harness.Answer{Status: http.StatusOK, Header: header}
	}
	denied := answer.GetDeniedResponse()
	Expect(denied).NotTo(BeNil())
	for _, line := range denied.GetHeaders() {
		header.Set(line.GetHeader().GetKey(), line.GetHeader().GetValue())
	}
	return harness.Answer{Status: int(denied.GetStatus().GetCode()), Header: header, Body: denied.GetBody()}
}

var _ = Describe("Envoy over gRPC", func() {
	Describe("the matrix of tokens and places", func() {
		matrix.Hold(matrix.Tokens(), world, envoyGRPC)
		matrix.Hold(matrix.Forgeries(), world, envoyGRPC)
		matrix.Hold(matrix.Guards(), world, envoyGRPC)
		matrix.HoldDeaths(world, matrix.Everywhere, envoyGRPC)
		matrix.HoldResources(world, envoyGRPC)
	})

	It("gives what /verify gives, to the letter", func() {
		for _, token := range []string{"", "nonsense", world.WebhookToken(), world.ConsoleToken()} {
			for _, at := range []matrix.Place{matrix.AcmeWebhook, matrix.AcmeMCP, matrix.API, {}} {
				over, http := envoyGRPC(token, at), world.Service.Verify(token, at.Guard)
				Expect(over.Status).To(Equal(http.Status))
				Expect(over.Body).To(Equal(http.Body))
				Expect(over.Header.Values("WWW-Authenticate")).To(Equal(http.Header.Values("WWW-Authenticate")))
			}
		}
	})

	It("overwrites what it says of the caller, and removes what the caller says of itself", func() {
		answer := asks(check(world.ConsoleToken(), matrix.API, "X-Claviger-Account", "forged", "X_Claviger_Scope", "forged")).GetOkResponse()
		set := map[string]string{}
		for _, line := range answer.GetHeaders() {
			Expect(line.GetAppendAction()).To(Equal(corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD))
			set[line.GetHeader().GetKey()] = line.GetHeader().GetValue()
		}
		Expect(set).To(HaveKeyWithValue("x-claviger-client-id", "claviger-system.console"))
		Expect(set).To(HaveKeyWithValue("x-claviger-scope", "API"))
		Expect(answer.GetHeadersToRemove()).To(ConsistOf("x-claviger-account", "x_claviger_scope"))
	})

	It("takes no guard from the call", func() {
		request := check(world.WebhookToken(), matrix.Place{}, "scope", "Webhook", "account", "acme", "X-Claviger-Scope", "Webhook")
		request.Attributes.Request.Http.Path = "/verify?scope=Webhook&account=acme"
		Expect(asks(request).GetDeniedResponse().GetStatus().GetCode()).To(BeEquivalentTo(http.StatusForbidden))
	})

	DescribeTable("denies what is no call of HTTP", func(request *authv3.CheckRequest) {
		Expect(asks(request).GetDeniedResponse().GetStatus().GetCode()).To(BeEquivalentTo(http.StatusUnauthorized))
	},
		Entry("nothing", &authv3.CheckRequest{}),
		Entry("a connection of TCP", &authv3.CheckRequest{Attributes: &authv3.AttributeContext{ContextExtensions: map[string]string{"scope": "Webhook"}}}),
	)

	It("refuses a check that is too large, and goes on", func() {
		request := check("", matrix.AcmeWebhook, "cookie", strings.Repeat("x", 1<<20))
		_, err := authv3.NewAuthorizationClient(envoy).Check(context.Background(), request)
		Expect(status.Code(err)).To(Equal(codes.ResourceExhausted))
		Expect(envoyGRPC(world.WebhookToken(), matrix.AcmeWebhook).Status).To(Equal(http.StatusOK))
	})

	It("tells its health", func() {
		answer, err := healthv1.NewHealthClient(envoy).Check(context.Background(), &healthv1.HealthCheckRequest{})
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.GetStatus()).To(Equal(healthv1.HealthCheckResponse_SERVING))
	})

	It("is counted and timed like /verify", func() {
		envoyGRPC("", matrix.AcmeWebhook)
		Expect(world.Service.Metrics()).To(ContainSubstring(`claviger_http_request_duration_seconds_count{code="401",endpoint="ext_authz"}`))
	})
})
