// SPDX-License-Identifier: Apache-2.0

package loopback

import (
	"net"
	"testing"
)

func TestFreePortsDifferAndCanBeOpened(t *testing.T) {
	ports, err := FreePorts(t.Context(), 20)
	if err != nil || len(ports) != 20 {
		t.Fatalf("%d ports, %v", len(ports), err)
	}
	for _, port := range ports {
		listener, err := net.Listen("tcp", net.JoinHostPort(Address, port))
		if err != nil {
			t.Fatalf("opening a free port, which two equal ones would not allow: %v", err)
		}
		defer listener.Close()
	}
}

func TestFreeAddressIsOnLoopback(t *testing.T) {
	address, err := FreeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil || !net.ParseIP(host).IsLoopback() {
		t.Errorf("%s: %v", address, err)
	}
}

func TestTheSearchForFreePortsEnds(t *testing.T) {
	if _, err := FreePorts(t.Context(), attempts+1); err == nil {
		t.Error("it found more ports than it tries")
	}
}
