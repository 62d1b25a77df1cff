// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
)

type connectionsCommand struct {
	*session
	print         *genericclioptions.PrintFlags
	allNamespaces bool
	selector      string
	account       string
}

func newConnectionsCommand(s *session) *cobra.Command {
	connections := &connectionsCommand{session: s, print: genericclioptions.NewPrintFlags("")}
	command := &cobra.Command{
		Use:   "connections [NAME]",
		Short: "Show connections to third-party applications, and what is wrong with one",
		Long: "Show the AccountConnectors of a namespace or, with a name, all that matters about one of them: who has authorized it, until when\n" +
			"its token works, when that is refreshed, and what is wrong and what to do about that.",
		Example: `  # All connections of a namespace
  kubectl claviger connections -n acme

  # Those of an account, wherever they are
  kubectl claviger connections -A --account acme

  # One of them
  kubectl claviger connections crm -n acme`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: complete(s, 1, connectionNames),
		RunE: func(command *cobra.Command, args []string) error {
			if connections.account == "" && command.Flags().Changed("account") {
				return errEmptyAccount
			}
			return connections.run(command.Context(), args)
		},
	}
	flags := command.Flags()
	flags.BoolVarP(&connections.allNamespaces, "all-namespaces", "A", false, "List the connections of all namespaces.")
	flags.StringVarP(&connections.selector, "selector", "l", "", "List only connections with these labels, such as team=acme.")
	flags.StringVar(&connections.account, "account", "", "List only connections of this account.")
	_ = command.RegisterFlagCompletionFunc("account", complete(s, -1, accountNames))
	connections.print.AddFlags(command)
	return command
}

func (c *connectionsCommand) run(ctx context.Context, args []string) error {
	if len(args) > 0 && (c.allNamespaces || c.selector != "" || c.account != "") {
		return errors.New("a name goes with neither --all-namespaces nor --selector nor --account; choose its namespace with -n")
	}
	api, namespace, err := c.connect()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return c.list(ctx, api, namespace)
	}
	object := &v1alpha1.AccountConnector{}
	if err := get(ctx, api, client.ObjectKey{Namespace: namespace, Name: args[0]}, object); err != nil {
		return err
	}
	if *c.print.OutputFormat != "" {
		return printObject(c.Out, c.print, object)
	}
	return describe(c.Out, describeConnection(object, c.now()))
}

func (c *connectionsCommand) list(ctx context.Context, api client.Reader, namespace string) error {
	if c.allNamespaces {
		namespace = ""
	}
	list, err := listConnections(ctx, api, namespace, c.selector)
	if err != nil {
		return err
	}
	if c.account != "" {
		list.Items = slices.DeleteFunc(list.Items, func(object v1alpha1.AccountConnector) bool { return object.Spec.AccountRef.Name != c.account })
	}
	switch {
	case *c.print.OutputFormat != "":
		return c.printList(list)
	case len(list.Items) > 0:
		return printConnections(c.Out, list, c.allNamespaces, c.now())
	case c.allNamespaces:
		c.note("No connections found.")
	default:
		c.note("No connections found in namespace %s.", namespace)
	}
	return nil
}

func listConnections(ctx context.Context, api client.Reader, namespace, selector string) (*v1alpha1.AccountConnectorList, error) {
	selected, err := labels.Parse(selector)
	if err != nil {
		return nil, fmt.Errorf("--selector: %w", err)
	}
	list := &v1alpha1.AccountConnectorList{}
	if err := api.List(ctx, list, &client.ListOptions{Namespace: namespace, LabelSelector: selected}); err != nil {
		return nil, fmt.Errorf("listing connections: %w", err)
	}
	return list, nil
}

// printList prints a list as kubectl does: one name a line, or one object that holds all.
func (c *connectionsCommand) printList(list *v1alpha1.AccountConnectorList) error {
	if *c.print.OutputFormat != "name" {
		for i := range list.Items {
			list.Items[i].SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kindConnection))
		}
		return printObject(c.Out, c.print, list)
	}
	for i := range list.Items {
		if err := printObject(c.Out, c.print, &list.Items[i]); err != nil {
			return err
		}
	}
	return nil
}
