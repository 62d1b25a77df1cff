// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

// TestTheBinaryOfTheImageTellsWhatItIs: images are for Linux, and there is one for this machine.
func TestTheBinaryOfTheImageTellsWhatItIs(t *testing.T) {
	wantTold(t, "claviger", contents(t, images(t, snapshot(t))[thisPlatform])["claviger"].data)
}
