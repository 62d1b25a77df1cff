// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/claviger/claviger/api/v1alpha1"
)

// isWrite reports whether a request changes an object. Events and leases are not counted: no state depends on them.
func isWrite(request *http.Request) bool {
	if strings.Contains(request.URL.Path, "/events") || strings.Contains(request.URL.Path, "/leases") {
		return false
	}
	return request.Method != http.MethodGet
}

// concerns reports whether a path is of something in a namespace, or of an object, of that name.
func concerns(path, name string) bool { return strings.Contains(path+"/", "/"+name+"/") }

// writes notes the paths of a manager's writes.
type writes struct {
	mutex sync.Mutex
	paths []string
}

func (w *writes) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		if isWrite(request) {
			w.mutex.Lock()
			w.paths = append(w.paths, request.URL.Path)
			w.mutex.Unlock()
		}
		return next.RoundTrip(request)
	})
}

// concerning counts the writes in a namespace or to an object of that name.
func (w *writes) concerning(name string) int64 {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	var count int64
	for _, path := range w.paths {
		if concerns(path, name) {
			count++
		}
	}
	return count
}

// death is a process that dies at one of its writes: after the API server has taken it and before the answer is read, or
// before it is sent. From then on nothing it sends arrives.
type death struct {
	// name is that of the namespace, or of the object, whose writes are counted; other, where set, that of another one.
	name, other string
	// atWrite counts from 1; 0 never dies.
	atWrite int
	// before says that the write itself does not arrive either.
	before bool
	// alone says that only what is counted dies: nothing that concerns it arrives any more, and all else goes on.
	alone bool

	mutex sync.Mutex
	count int
	dead  bool
}

var errDead = errors.New("this process is dead")

func (d *death) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		dies := d.dies(request)
		if d.died() && (!dies || d.before) && (!d.alone || d.counts(request)) {
			return nil, errDead
		}
		response, err := next.RoundTrip(request)
		if dies && err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			return nil, errDead
		}
		return response, err
	})
}

// dies counts a write, and reports whether it is the last.
func (d *death) dies(request *http.Request) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.dead || !isWrite(request) || !d.counts(request) {
		return false
	}
	d.count++
	d.dead = d.count == d.atWrite
	return d.dead
}

// counts reports whether a write concerns what is counted. An object that is created is named in the body alone.
func (d *death) counts(request *http.Request) bool {
	if d.other == "" || request.Method != http.MethodPost {
		return concerns(request.URL.Path, d.name) || d.other != "" && concerns(request.URL.Path, d.other)
	}
	body, err := request.GetBody()
	if err != nil {
		return false
	}
	content, err := io.ReadAll(body)
	return err == nil && (bytes.Contains(content, []byte(d.name)) || bytes.Contains(content, []byte(d.other)))
}

// deathsAt gives two deaths for each of a number of writes: before it arrives, and after.
func deathsAt(writes int) []*death {
	var all []*death
	for at := 1; at <= writes; at++ {
		all = append(all, &death{atWrite: at, before: true}, &death{atWrite: at})
	}
	return all
}

// wrapAll stands for a process in which each of them is alone.
func wrapAll(deaths []*death) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		for _, each := range deaths {
			next = each.wrap(next)
		}
		return next
	}
}

// String says where it dies.
func (d *death) String() string {
	return fmt.Sprintf("dies at write %d, before it arrives: %v", d.atWrite, d.before)
}

func (d *death) died() bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.dead
}

// made gives the number of writes so far.
func (d *death) made() int {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.count
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// reads notes the label selectors with which Secrets are listed or watched, where more than their metadata is asked for. The
// Secrets of certificates are asked for by their names: somebody else may write them, without a label.
type reads struct {
	mutex     sync.Mutex
	selectors []string
}

func (r *reads) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		metadata := strings.Contains(request.Header.Get("Accept"), "as=PartialObjectMetadata")
		named := request.URL.Query().Get("fieldSelector")
		certificates := named == "metadata.name="+v1alpha1.ServingSecretName || named == "metadata.name="+v1alpha1.AuthoritySecretName
		if request.Method == http.MethodGet && strings.HasSuffix(request.URL.Path, "/secrets") && !metadata && !certificates {
			r.mutex.Lock()
			r.selectors = append(r.selectors, request.URL.Query().Get("labelSelector"))
			r.mutex.Unlock()
		}
		return next.RoundTrip(request)
	})
}

func (r *reads) secretLists() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return slices.Clone(r.selectors)
}
