// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"errors"
	"net"
	"sync"
	"testing"
)

// spent is a connection that takes some bytes of a write and fails.
type spent struct {
	net.Conn
	takes int
}

func (s spent) Write([]byte) (int, error) { return s.takes, errors.New("broken") }

func TestGate(t *testing.T) {
	for _, row := range []struct {
		name  string
		takes int
		want  bool
	}{
		{"a write that took nothing is none", 0, true},
		{"a write that failed half-way is one", 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			conn := &gated{Conn: spent{takes: row.takes}, gate: &gate{}}
			if _, err := conn.Write([]byte("GET")); err == nil {
				t.Fatal("it did not fail")
			}
			if conn.gate.shut() != row.want {
				t.Error("it does not say so")
			}
		})
	}
	t.Run("nothing passes once it is shut", func(t *testing.T) {
		conn := &gated{Conn: spent{}, gate: &gate{}}
		for range 2 {
			if !conn.gate.shut() {
				t.Error("it does not shut")
			}
		}
		if _, err := conn.Write([]byte("GET")); !errors.Is(err, errShut) {
			t.Errorf("got %v", err)
		}
	})
}

// TestGateInARace: of a write and of whoever shuts it, exactly one comes through.
func TestGateInARace(t *testing.T) {
	for range 2000 {
		ours, theirs := net.Pipe()
		conn := &gated{Conn: ours, gate: &gate{}}
		var group sync.WaitGroup
		var written, shut bool
		group.Go(func() {
			_, err := conn.Write([]byte("G"))
			written = err == nil
			_ = ours.Close()
		})
		group.Go(func() { shut = conn.gate.shut() })
		_, _ = theirs.Read(make([]byte, 1))
		group.Wait()
		if written == shut {
			t.Fatalf("written %v, shut %v", written, shut)
		}
	}
}
