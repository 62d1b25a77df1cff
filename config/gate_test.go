// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"

	"github.com/claviger/claviger/internal/app"
)

// TestGatesOfThePage: the Deployments in docs/gate.md are ones that an API server takes, and their gates have flags that exist.
func TestGatesOfThePage(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(apiVersion:.*?)```").FindAllStringSubmatch(page(t, "gate.md"), -1)
	if len(blocks) != 2 {
		t.Fatalf("there are %d", len(blocks))
	}
	for _, block := range blocks {
		var deployment appsv1.Deployment
		if err := yaml.UnmarshalStrict([]byte(block[1]), &deployment); err != nil {
			t.Fatal(err)
		}
		pod, gates := deployment.Spec.Template.Spec, 0
		volumes := map[string]bool{}
		for _, volume := range pod.Volumes {
			volumes[volume.Name] = true
		}
		for _, container := range pod.Containers {
			for _, mount := range container.VolumeMounts {
				if !volumes[mount.Name] {
					t.Errorf("%s mounts %s, which is no volume", container.Name, mount.Name)
				}
			}
			if container.Name == "gate" {
				gates++
				checkGateFlags(t, container.Args)
			}
		}
		if gates != 1 {
			t.Errorf("%s has %d gates", deployment.Name, gates)
		}
	}
}

func checkGateFlags(t *testing.T, args []string) {
	t.Helper()
	gate, flags, err := app.NewCommand().Find(args)
	if err != nil || gate.Name() != "gate" {
		t.Fatalf("%q runs %s, %v", args, gate.Name(), err)
	}
	if err := gate.ParseFlags(flags); err != nil {
		t.Errorf("%s: %v", strings.Join(args, " "), err)
	}
}
