// SPDX-License-Identifier: Apache-2.0

package clavigertest_test

import (
	"context"
	"fmt"
	"os"

	"github.com/claviger/claviger/test/clavigertest"
)

// A kit of its own: manifests are applied, become Ready, and a token is taken. In a test, Start, Apply, WaitReady and Token do the
// same in four lines.
func Example() {
	ctx := context.Background()
	kit, err := clavigertest.Run(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kit.Stop()
	objects, err := kit.ApplyContext(ctx, os.DirFS("testdata"), "acme.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := kit.WaitReadyContext(ctx, objects...); err != nil {
		fmt.Println(err)
		return
	}
	for _, object := range objects {
		if object.GetName() != "orders" {
			continue
		}
		token, err := kit.TokenContext(ctx, object, nil)
		fmt.Println(object.GetObjectKind().GroupVersionKind().Kind, object.GetName(), "has a token:", token != "", err)
	}
	// Output: ClientCredential orders has a token: true <nil>
}
