// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
)

// revokeAll shows, or makes, the change of a spec that kills all tokens that a credential has had so far.
func (c *revokeCommand) revokeAll(ctx context.Context) error {
	api, namespace, err := c.connect()
	if err != nil {
		return err
	}
	object := &v1alpha1.ClientCredential{}
	if err := get(ctx, api, client.ObjectKey{Namespace: namespace, Name: c.allTokensOf}, object); err != nil {
		return err
	}
	before := nextSecond(c.server.later(c.now()))
	if set := object.Spec.RevokeTokensBefore; set != nil && !set.Time.Before(before) {
		c.say("nothing to change: the tokens of %s that were issued before %s are refused already", object.Name, set.UTC().Format(time.RFC3339))
		return nil
	}
	if !c.apply {
		c.say("spec:\n  revokeTokensBefore: %q", before.Format(time.RFC3339))
		c.note("Nothing was changed. Put this into the manifest of %s where the spec is kept in Git, or apply it from here with --apply.", object.Name)
		return nil
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]string{"revokeTokensBefore": before.Format(time.RFC3339)}})
	if err != nil {
		return fmt.Errorf("writing the patch: %w", err)
	}
	if c.dryRun.client() {
		object.Spec.RevokeTokensBefore = &metav1.Time{Time: before}
	} else {
		if err := api.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), c.dryRun.patchOptions()...); err != nil {
			return fmt.Errorf("revoking the tokens of %s: %w", object.Name, err)
		}
	}
	if *c.print.OutputFormat != "" {
		return printObject(c.Out, c.print, object)
	}
	c.say("%s/%s patched; its tokens that were issued before %s are refused within a second%s",
		resourceCredential, object.Name, before.Format(time.RFC3339), c.dryRun.suffix())
	return nil
}

// nextSecond gives the first whole second after a time, because a token of this very second shall die too: times in the API,
// and in tokens, have no fractions.
func nextSecond(now time.Time) time.Time { return now.UTC().Truncate(time.Second).Add(time.Second) }
