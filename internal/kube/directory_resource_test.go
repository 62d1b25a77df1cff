// SPDX-License-Identifier: Apache-2.0

package kube_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/test/builder"
)

const toolsURL = "https://mcp.acme.example/mcp"

func resourceOf(namespace, name, url string, age time.Duration) *v1alpha1.ProtectedResource {
	return builder.ProtectedResource(namespace, name, url, builder.OfAccount(namespace),
		builder.UID(types.UID(namespace+name)), builder.CreatedAt(time.Unix(1e9, 0).Add(-age)))
}

func TestDirectoryResources(t *testing.T) {
	var directory kube.Directory
	at := func(url string) string {
		subject, found := directory.ResourceAt(url)
		if !found {
			return ""
		}
		return subject.Resource.Name
	}
	rival := func(name string) string {
		subject, found := directory.Resource(name)
		switch {
		case !found:
			return "not found"
		case subject.Rival == nil:
			return ""
		default:
			return subject.Rival.Name
		}
	}
	if at(toolsURL) != "" || rival("acme/tools") != "not found" {
		t.Fatal("an empty directory knows a resource")
	}
	directory.Store(builder.Account("acme"))
	directory.Store(resourceOf("acme", "tools", toolsURL, time.Hour))
	subject, _ := directory.Resource("acme/tools")
	if subject.Resource.URL != toolsURL || subject.Account == nil || subject.Namespace.Name != "acme" || subject.Rival != nil {
		t.Fatalf("got %+v", subject)
	}
	if subject, found := directory.ResourceAt(toolsURL); !found || subject.Account == nil || subject.Resource.Name != "acme/tools" {
		t.Fatalf("by its URL: got %+v", subject)
	}

	directory.Store(resourceOf("beta", "stolen", "https://MCP.acme.example:443/mcp", time.Minute))
	if at(toolsURL) != "acme/tools" || rival("acme/tools") != "" || rival("beta/stolen") != "acme/tools" {
		t.Error("a younger one takes the URL")
	}
	directory.Store(resourceOf("acme", "tools", "https://elsewhere.example/", time.Hour))
	if at(toolsURL) != "beta/stolen" || rival("beta/stolen") != "" || at("https://elsewhere.example/") != "acme/tools" {
		t.Error("a URL that is given up is not the other's")
	}
	directory.Store(resourceOf("acme", "tools", toolsURL, time.Hour))
	directory.Forget(toolscache.DeletedFinalStateUnknown{Obj: resourceOf("acme", "tools", toolsURL, time.Hour)})
	if at(toolsURL) != "beta/stolen" || rival("acme/tools") != "not found" {
		t.Error("one that was deleted is still there")
	}
	directory.Forget(resourceOf("beta", "stolen", toolsURL, time.Minute))
	if at(toolsURL) != "" || rival("beta/stolen") != "not found" {
		t.Error("the last one is still there")
	}
}

// TestDirectoryResourceAllocations: the look-up stands in the way of every request that a gateway asks about.
func TestDirectoryResourceAllocations(t *testing.T) {
	var directory kube.Directory
	directory.Store(builder.Account("acme"))
	directory.Store(resourceOf("acme", "tools", toolsURL, time.Hour))
	if got := testing.AllocsPerRun(100, func() { directory.Resource("acme/tools") }); got > 4 {
		t.Errorf("a look-up allocates %v times", got)
	}
}
