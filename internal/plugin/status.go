// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
)

// accountPrefix makes the argument of status name an Account, as kubectl's TYPE/NAME does.
const accountPrefix = "account/"

type statusCommand struct {
	*session
	print         *genericclioptions.PrintFlags
	allNamespaces bool
	selector      string
}

func newStatusCommand(s *session) *cobra.Command {
	status := &statusCommand{session: s, print: genericclioptions.NewPrintFlags("")}
	command := &cobra.Command{
		Use:   "status [NAME | account/NAME]",
		Short: "Show credentials, and what keeps one from working",
		Long: "Show the credentials of a namespace or, with a name, all that matters about one of them: its secrets and until\n" +
			"when each works, its next rotation, and what keeps it from being Ready and what to do about that.",
		Example: `  # All credentials of a namespace
  kubectl claviger status -n acme

  # One of them
  kubectl claviger status orders -n acme

  # An account
  kubectl claviger status account/acme

  # What kubectl would give
  kubectl claviger status orders -n acme -o yaml`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeNames(s, 1),
		RunE:              func(command *cobra.Command, args []string) error { return status.run(command.Context(), args) },
	}
	command.Flags().BoolVarP(&status.allNamespaces, "all-namespaces", "A", false, "List the credentials of all namespaces.")
	command.Flags().StringVarP(&status.selector, "selector", "l", "", "List only credentials with these labels, such as team=acme.")
	status.print.AddFlags(command)
	return command
}

func (c *statusCommand) run(ctx context.Context, args []string) error {
	if len(args) > 0 && (c.allNamespaces || c.selector != "") {
		return errors.New("a name goes with neither --all-namespaces nor --selector; choose its namespace with -n")
	}
	api, namespace, err := c.connect()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return c.list(ctx, api, namespace)
	}
	if account, ok := strings.CutPrefix(args[0], accountPrefix); ok {
		return c.account(ctx, api, account)
	}
	object := &v1alpha1.ClientCredential{}
	if err := get(ctx, api, client.ObjectKey{Namespace: namespace, Name: args[0]}, object); err != nil {
		return err
	}
	if *c.print.OutputFormat != "" {
		return c.printObject(object)
	}
	keys, err := secretKeys(ctx, api, object)
	if err != nil {
		return err
	}
	return describe(c.Out, describeCredential(object, keys, c.now()))
}

func (c *statusCommand) account(ctx context.Context, api client.Reader, name string) error {
	account := &v1alpha1.Account{}
	if err := get(ctx, api, client.ObjectKey{Name: name}, account); err != nil {
		return err
	}
	if *c.print.OutputFormat != "" {
		return c.printObject(account)
	}
	return describe(c.Out, describeAccount(account, c.now()))
}

func (c *statusCommand) list(ctx context.Context, api client.Reader, namespace string) error {
	if c.allNamespaces {
		namespace = ""
	}
	list, err := listCredentials(ctx, api, namespace, c.selector)
	if err != nil {
		return err
	}
	switch {
	case *c.print.OutputFormat != "":
		return c.printList(list)
	case len(list.Items) > 0:
		return printTable(c.Out, list, c.allNamespaces, c.now())
	case c.allNamespaces:
		c.note("No credentials found.")
	default:
		c.note("No credentials found in namespace %s.", namespace)
	}
	return nil
}

// printList prints a list as kubectl does: one name a line, or one object that holds all.
func (c *statusCommand) printList(list *v1alpha1.ClientCredentialList) error {
	if *c.print.OutputFormat != "name" {
		for i := range list.Items {
			list.Items[i].SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kindCredential))
		}
		return c.printObject(list)
	}
	for i := range list.Items {
		if err := c.printObject(&list.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *statusCommand) printObject(object runtime.Object) error {
	return printObject(c.Out, c.print, object)
}
