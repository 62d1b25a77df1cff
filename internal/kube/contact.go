// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/fields"
)

// Contact notes when the API server was last heard of the objects that a role follows. It listens to the answers to lists and
// watches: an API server says something on every watch about once a minute, a bookmark where nothing has changed, so that silence
// means that what the role knows may be old.
type Contact struct {
	// Now tells the time.
	Now func() time.Time

	last sync.Map // resource -> *atomic.Int64, nanoseconds since 1970
}

// Wrap stands between a client and the API server (rest.Config.Wrap).
func (c *Contact) Wrap(next http.RoundTripper) http.RoundTripper {
	return listener{contact: c, next: next}
}

// Last gives when each resource was last heard of, where it was not yet, when it was first asked for. The name is that of the
// resource, such as "clientcredentials"; of an object that is followed by itself, with its name, "secrets/claviger-pepper".
func (c *Contact) Last() map[string]time.Time {
	all := map[string]time.Time{}
	c.last.Range(func(resource, at any) bool {
		all[resource.(string)] = time.Unix(0, at.(*atomic.Int64).Load())
		return true
	})
	return all
}

// of gives where to note what is heard of a resource.
func (c *Contact) of(resource string) *atomic.Int64 {
	at, known := c.last.Load(resource)
	if !known {
		first := &atomic.Int64{}
		first.Store(c.Now().UnixNano())
		at, _ = c.last.LoadOrStore(resource, first)
	}
	return at.(*atomic.Int64)
}

// listener notes answers.
type listener struct {
	contact *Contact
	next    http.RoundTripper
}

func (l listener) RoundTrip(request *http.Request) (*http.Response, error) {
	resource, followed := followedResource(request)
	if !followed {
		return l.next.RoundTrip(request) //nolint:wrapcheck // a transport between others passes errors on as they are
	}
	at := l.contact.of(resource)
	response, err := l.next.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusOK {
		response.Body = &heard{ReadCloser: response.Body, note: func() { at.Store(l.contact.Now().UnixNano()) }}
	}
	return response, err //nolint:wrapcheck // as above
}

// heard notes whenever something of a body arrives.
type heard struct {
	io.ReadCloser
	note func()
}

func (h *heard) Read(into []byte) (int, error) {
	n, err := h.ReadCloser.Read(into)
	if n > 0 {
		h.note()
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}

// followedResource says which objects a list or a watch is of: /api/v1/<resource>, /apis/<group>/<version>/<resource>, either
// with namespaces/<namespace> before the resource. Anything else is no list.
func followedResource(request *http.Request) (string, bool) {
	parts := strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	prefix := map[string]int{"api": 2, "apis": 3}[parts[0]]
	if request.Method != http.MethodGet || prefix == 0 || len(parts) <= prefix {
		return "", false
	}
	parts = parts[prefix:]
	if len(parts) == 3 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	if len(parts) != 1 {
		return "", false
	}
	resource := parts[0]
	if selector, err := fields.ParseSelector(request.URL.Query().Get("fieldSelector")); err == nil {
		if name, exact := selector.RequiresExactMatch("metadata.name"); exact {
			resource += "/" + name
		}
	}
	return resource, true
}
