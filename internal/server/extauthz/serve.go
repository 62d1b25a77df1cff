// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"context"
	"fmt"
	"net"
	"runtime/debug"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/go-logr/logr"
	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/claviger/claviger/internal/server/oauthapi"
	"github.com/claviger/claviger/internal/server/stop"
)

// Limits. Gateways are few, and keep their connections; a check is the headers of a call.
const (
	maxConnections = 1024
	maxStreams     = 1024 // checks at a time, of one connection
	// maxMessage bounds a check, in bytes. Envoy itself takes no more than 60 KiB of headers by default; bodies are not wanted.
	maxMessage = 128 << 10
	// maxMetadata bounds the headers of the gRPC call itself, in bytes.
	maxMetadata      = 16 << 10
	handshakeTimeout = 5 * time.Second
	idleTimeout      = 5 * time.Minute
	// connectionAge lets gateways find new replicas: they look for one only when they connect.
	connectionAge      = 10 * time.Minute
	connectionAgeGrace = 10 * time.Second
	pingInterval       = time.Minute
	pingTimeout        = 10 * time.Second
	minClientPing      = 10 * time.Second
	// readinessInterval is how often a service that is not ready yet looks whether it is.
	readinessInterval = 100 * time.Millisecond
)

// Server serves the Authorization service, and gRPC health (grpc.health.v1).
type Server struct {
	API *oauthapi.API
	// Ready reports whether verdicts can be given. Before, every call is denied.
	Ready func() bool
	// Stop is how it ends.
	Stop stop.Plan
}

// Serve serves until the context ends and it has stopped as it is told to.
func (s Server) Serve(ctx context.Context, listener net.Listener) error {
	server, state := s.build(logr.FromContextOrDiscard(ctx)), health.NewServer()
	authv3.RegisterAuthorizationServer(server, &service{api: s.API})
	healthv1.RegisterHealthServer(server, state)
	state.SetServingStatus("", healthv1.HealthCheckResponse_NOT_SERVING)
	go s.followReadiness(ctx, state)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		state.Shutdown()
		s.Stop.Linger(ctx)
		cut := time.AfterFunc(s.Stop.Grace, server.Stop)
		defer cut.Stop()
		server.GracefulStop()
	}()
	if err := server.Serve(netutil.LimitListener(listener, maxConnections)); err != nil {
		return fmt.Errorf("serving %s: %w", listener.Addr(), err)
	}
	<-stopped
	return nil
}

func (Server) build(logger logr.Logger) *grpc.Server {
	return grpc.NewServer(
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxHeaderListSize(maxMetadata),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: idleTimeout, MaxConnectionAge: connectionAge, MaxConnectionAgeGrace: connectionAgeGrace,
			Time: pingInterval, Timeout: pingTimeout,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minClientPing, PermitWithoutStream: true}),
		grpc.WaitForHandlers(true),
		grpc.UnaryInterceptor(survive(logger)),
	)
}

// survive keeps a panic in one check from ending the process, as net/http does; the call fails, and the gateway denies.
func survive(logger logr.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (answer any, err error) {
		defer func() {
			if cause := recover(); cause != nil {
				logger.Error(nil, "gRPC server: panic", "method", info.FullMethod, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
				answer, err = nil, status.Error(codes.Internal, "internal error")
			}
		}()
		return handle(ctx, request)
	}
}

// followReadiness tells health once the service is ready. It stays so: what it knows it does not lose.
func (s Server) followReadiness(ctx context.Context, state *health.Server) {
	tick := time.NewTicker(readinessInterval)
	defer tick.Stop()
	for !s.Ready() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	state.SetServingStatus("", healthv1.HealthCheckResponse_SERVING)
}
