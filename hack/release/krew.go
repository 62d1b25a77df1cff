// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/krew/pkg/constants"
	"sigs.k8s.io/krew/pkg/index"
	"sigs.k8s.io/yaml"
)

// krew writes the manifest by which krew, the manager of kubectl's plugins, installs this version.
func (r *release) krew(_ context.Context, _ string) error {
	manifest := index.Plugin{
		TypeMeta:   metav1.TypeMeta{APIVersion: constants.CurrentAPIVersion, Kind: constants.PluginKind},
		ObjectMeta: metav1.ObjectMeta{Name: server},
		Spec: index.PluginSpec{
			Version:          r.version,
			Homepage:         source,
			ShortDescription: "Look after OAuth 2.0 machine credentials",
			Description: "See what keeps a credential of Claviger from working, rotate it, take a token, find out\n" +
				"why one is refused, revoke it; connect an account to an application, and see which\n" +
				"connections need somebody.\n",
			Caveats: "It reads and writes as you do, and needs Claviger in the cluster:\n" + source + "/blob/main/docs/kubectl-claviger.md\n",
		},
	}
	for _, platform := range r.platforms {
		archive := r.archive(plugin, platform)
		sum, err := sum(r.file(archive))
		if err != nil {
			return err
		}
		system, architecture, _ := strings.Cut(platform, "/")
		bin := executable(platform, plugin)
		manifest.Spec.Platforms = append(manifest.Spec.Platforms, index.Platform{
			URI:      source + "/releases/download/" + r.version + "/" + archive,
			Sha256:   sum,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"os": system, "arch": architecture}},
			Files:    []index.FileOperation{{From: bin, To: "."}, {From: "LICENSE", To: "."}},
			Bin:      bin,
		})
	}
	content, err := yaml.Marshal(manifest)
	if err != nil {
		return fmt.Errorf("encoding: %w", err)
	}
	return create(r.file("krew.yaml"), func(out io.Writer) error {
		if _, err := out.Write(content); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
		return nil
	})
}
