// SPDX-License-Identifier: Apache-2.0

package sandbox

import "testing"

func TestAfter(t *testing.T) {
	for _, row := range []struct {
		name, address string
		offset        int
		want          string // "" is an error
	}{
		{"the port itself", "127.0.0.1:8089", 0, "127.0.0.1:8089"},
		{"two ports later", "127.0.0.1:8089", 2, "127.0.0.1:8091"},
		{"any port is any port", "127.0.0.1:0", 2, "127.0.0.1:0"},
		{"IPv6", "[::1]:8089", 1, "[::1]:8090"},
		{"no port", "127.0.0.1", 1, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := after(row.address, row.offset)
			if got != row.want || (err != nil) != (row.want == "") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
