// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"slices"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
)

// completer gives what may stand where the cursor is.
type completer = func(command *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective)

// completeNames completes the names of credentials, up to that many of them; -1 is any number.
func completeNames(s *session, most int) completer { return complete(s, most, credentialNames) }

// complete completes names of objects, up to that many of them; -1 is any number. The shell filters by what has been typed. A cluster
// that cannot be reached completes nothing: there is no place for an error on a command line.
func complete(s *session, most int, list func(ctx context.Context, api client.Reader, namespace string) []string) completer {
	return func(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if most >= 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		api, namespace, err := s.connect()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names := list(command.Context(), api, namespace)
		return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(args, name) }), cobra.ShellCompDirectiveNoFileComp
	}
}

func credentialNames(ctx context.Context, api client.Reader, namespace string) []string {
	list, err := listCredentials(ctx, api, namespace, "")
	if err != nil {
		return nil
	}
	return namesOf(list)
}

// consoleNames are those of console-level credentials, with their namespaces.
func consoleNames(ctx context.Context, api client.Reader, namespace string) []string {
	objects, err := listConsole(ctx, api, namespace)
	if err != nil {
		return nil
	}
	var names []string
	for _, object := range objects {
		names = append(names, object.Namespace+"/"+object.Name)
	}
	return names
}

func connectionNames(ctx context.Context, api client.Reader, namespace string) []string {
	list, err := listConnections(ctx, api, namespace, "")
	if err != nil {
		return nil
	}
	return namesOf(list)
}

func accountNames(ctx context.Context, api client.Reader, _ string) []string {
	list := &v1alpha1.AccountList{}
	if err := api.List(ctx, list); err != nil {
		return nil
	}
	return namesOf(list)
}

// namesOf gives the names of the objects in a list.
func namesOf(list client.ObjectList) []string {
	var names []string
	_ = meta.EachListItem(list, func(object runtime.Object) error { // fails where the function does
		names = append(names, object.(client.Object).GetName())
		return nil
	})
	return names
}

// completeGlobalFlags completes the flags of kubectl that name something in the cluster or the kubeconfig.
func completeGlobalFlags(s *session, root *cobra.Command) {
	_ = root.RegisterFlagCompletionFunc("namespace", func(command *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		list := &corev1.NamespaceList{}
		if api, err := s.api(); err != nil || api.List(command.Context(), list) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return namesOf(list), cobra.ShellCompDirectiveNoFileComp
	})
	_ = root.RegisterFlagCompletionFunc("context", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		raw, err := s.config.ToRawKubeConfigLoader().RawConfig()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for name := range raw.Contexts {
			names = append(names, name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}
