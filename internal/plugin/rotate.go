// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
)

type rotateCommand struct {
	*session
	print    *genericclioptions.PrintFlags
	all      bool
	selector string
	wait     bool
	timeout  time.Duration
	dryRun   dryRun
}

func newRotateCommand(s *session) *cobra.Command {
	rotate := &rotateCommand{session: s, print: genericclioptions.NewPrintFlags("rotated")}
	command := &cobra.Command{
		Use:   "rotate NAME... | --all | -l SELECTOR",
		Short: "Replace the client secret of credentials",
		Long: "Replace the client secret of credentials, and wait until that is done. The client ID stays, and the secret before goes\n" +
			"on working for spec.rotation.overlap, 24h where nothing is said. The spec is left alone: what is set is the annotation\n" +
			v1alpha1.AnnotationRotate + ".",
		Example: `  # One credential
  kubectl claviger rotate orders -n acme

  # All with a label, without waiting
  kubectl claviger rotate -l team=acme -n acme --wait=false

  # See which would be rotated
  kubectl claviger rotate --all -n acme --dry-run=client`,
		ValidArgsFunction: completeNames(s, -1),
		RunE:              func(command *cobra.Command, args []string) error { return rotate.run(command.Context(), args) },
	}
	command.Flags().BoolVar(&rotate.all, "all", false, "Rotate all credentials of the namespace.")
	command.Flags().StringVarP(&rotate.selector, "selector", "l", "", "Rotate the credentials with these labels, such as team=acme.")
	command.Flags().BoolVar(&rotate.wait, "wait", true, "Wait until the new secret is published.")
	command.Flags().DurationVar(&rotate.timeout, "timeout", time.Minute, "How long to wait for each of them; all are waited for at the same time.")
	rotate.dryRun.bind(command)
	rotate.print.AddFlags(command)
	return command
}

func (c *rotateCommand) run(ctx context.Context, names []string) error {
	if err := c.dryRun.complete(); err != nil {
		return err
	}
	if ways := count(len(names) > 0, c.all, c.selector != ""); ways != 1 {
		return errors.New("say what to rotate: names, or --all, or --selector, and only one of these")
	}
	api, namespace, err := c.connect()
	if err != nil {
		return err
	}
	chosen, err := c.choose(ctx, api, namespace, names)
	if err != nil {
		return err
	}
	var requested []*v1alpha1.ClientCredential
	var failures []error
	for _, object := range chosen {
		if err := c.request(ctx, api, object); err != nil {
			failures = append(failures, err)
			continue
		}
		requested = append(requested, object)
	}
	if c.dryRun.on() || !c.wait {
		failures = append(failures, c.tellRequested(requested))
	} else {
		failures = append(failures, c.finishAll(ctx, api, requested))
	}
	return errors.Join(failures...)
}

// choose finds the credentials that are meant. One of spec.secretRef cannot be rotated from here: that is an error where it
// was named, and otherwise it is passed over.
func (c *rotateCommand) choose(ctx context.Context, api client.Reader, namespace string, names []string) ([]*v1alpha1.ClientCredential, error) {
	var chosen []*v1alpha1.ClientCredential
	for at, name := range names {
		if slices.Contains(names[:at], name) {
			continue // a second request would overtake the first
		}
		object := &v1alpha1.ClientCredential{}
		if err := get(ctx, api, client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
			return nil, err
		}
		if object.Spec.SecretRef != nil {
			return nil, errors.New(whyNotRotated(object))
		}
		chosen = append(chosen, object)
	}
	if len(names) > 0 {
		return chosen, nil
	}
	list, err := listCredentials(ctx, api, namespace, c.selector)
	if err != nil {
		return nil, err
	}
	for i := range list.Items {
		object := &list.Items[i]
		if object.Spec.SecretRef != nil {
			c.note("passed over: %s", whyNotRotated(object))
			continue
		}
		chosen = append(chosen, object)
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no credential to rotate in namespace %s", namespace)
	}
	return chosen, nil
}

func whyNotRotated(object *v1alpha1.ClientCredential) string {
	return fmt.Sprintf("credential %s has the secret that you bring (spec.secretRef): edit Secret %s, and the one before works for the overlap",
		object.Name, object.Spec.SecretRef.Name)
}

func count(ways ...bool) int {
	given := 0
	for _, way := range ways {
		if way {
			given++
		}
	}
	return given
}

// request asks for a rotation, by a value of the annotation that no request had before.
func (c *rotateCommand) request(ctx context.Context, api client.Client, object *v1alpha1.ClientCredential) error {
	value := c.now().UTC().Format(time.RFC3339Nano)
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"annotations": map[string]string{v1alpha1.AnnotationRotate: value}},
	})
	if err != nil {
		return fmt.Errorf("writing the patch: %w", err)
	}
	if c.dryRun.client() {
		metav1.SetMetaDataAnnotation(&object.ObjectMeta, v1alpha1.AnnotationRotate, value)
		return nil
	}
	if err := api.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), c.dryRun.patchOptions()...); err != nil {
		return fmt.Errorf("rotating credential %s: %w", object.Name, err)
	}
	return nil
}

// tellRequested says what was asked for where nobody waits for it.
func (c *rotateCommand) tellRequested(chosen []*v1alpha1.ClientCredential) error {
	for _, object := range chosen {
		if *c.print.OutputFormat == "" {
			c.say("%s/%s rotation requested%s", resourceCredential, object.Name, c.dryRun.suffix())
			continue
		}
		if err := printObject(c.Out, c.print, object); err != nil {
			return err
		}
	}
	return nil
}
