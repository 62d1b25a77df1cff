// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/claviger/claviger/internal/server/stop"
)

// TestHealthFollowsReadiness, and the port closes in good order when it is asked to.
func TestHealthFollowsReadiness(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var ready atomic.Bool
	ended := make(chan error, 1)
	go func() { ended <- Server{Ready: ready.Load, Stop: stop.Plan{Grace: time.Minute}}.Serve(ctx, listener) }()

	connection, err := grpc.NewClient("dns:///"+listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	watch, err := healthv1.NewHealthClient(connection).Watch(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	expect := func(want healthv1.HealthCheckResponse_ServingStatus) {
		t.Helper()
		got, err := watch.Recv()
		if err != nil || got.GetStatus() != want {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
	}
	expect(healthv1.HealthCheckResponse_NOT_SERVING)
	ready.Store(true)
	expect(healthv1.HealthCheckResponse_SERVING)
	cancel()
	expect(healthv1.HealthCheckResponse_NOT_SERVING)
	if err := connection.Close(); err != nil { // a watch ends only with its client, or with the grace
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestAPanicFailsOneCheck and is seen.
func TestAPanicFailsOneCheck(t *testing.T) {
	var lines int
	guarded := survive(funcr.New(func(string, string) { lines++ }, funcr.Options{}))
	answer, err := guarded(t.Context(), nil, &grpc.UnaryServerInfo{}, func(context.Context, any) (any, error) { panic("of a handler") })
	if answer != nil || status.Code(err) != codes.Internal || lines != 1 {
		t.Errorf("got %v, %v, and %d lines", answer, err, lines)
	}
}
