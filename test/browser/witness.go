// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// Request is one that a page made, redirects and what it loads included.
type Request struct {
	Method, URL string
	// Type is what it was for: Document, Script, Image, and so on.
	Type string
}

// witness sees all that happens in a page.
type witness struct {
	scrub func(string) string

	mutex      sync.Mutex
	complaints []string
	requests   []Request
	referers   []string
	documents  map[string]bool
}

// see is called for every event, and must not block.
func (w *witness) see(event any) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		text := event.ExceptionDetails.Text
		if thrown := event.ExceptionDetails.Exception; thrown != nil {
			text += " " + thrown.Description
		}
		w.complain("exception", text, event.ExceptionDetails.URL)
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError || event.Type == runtime.ConsoleAPICalledTypeAssert {
			w.complain("console", texts(event.Args), "")
		}
	case *log.EventEntryAdded:
		if event.Entry.Source == log.EntrySourceNetwork && w.documents[event.Entry.URL] {
			return // a page that is an error may be meant to be
		}
		if event.Entry.Level == log.EntryLevelError {
			w.complain(string(event.Entry.Source), event.Entry.Text, event.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if event.Type == network.ResourceTypeDocument {
			w.documents[event.Request.URL] = true
		}
		w.requests = append(w.requests, Request{event.Request.Method, event.Request.URL, string(event.Type)})
		w.refer(event.Request.Headers)
	case *network.EventRequestWillBeSentExtraInfo:
		w.refer(event.Headers)
	}
}

func (w *witness) complain(source, text, at string) {
	w.complaints = append(w.complaints, fmt.Sprintf("%s: %s (%s)", source, text, w.path(at)))
}

// refer notes the Referer header. The browser tells of headers twice, and of some only once.
func (w *witness) refer(headers network.Headers) {
	for name, value := range headers {
		if text := fmt.Sprint(value); strings.EqualFold(name, "Referer") && !slices.Contains(w.referers, text) {
			w.referers = append(w.referers, text)
		}
	}
}

func texts(of []*runtime.RemoteObject) string {
	var all []string
	for _, object := range of {
		if text := string(object.Value); text != "" {
			all = append(all, text)
		} else {
			all = append(all, object.Description)
		}
	}
	return strings.Join(all, " ")
}

// path gives a URL without what may be secret of it.
func (*witness) path(of string) string {
	at, err := url.Parse(of)
	if err != nil || of == "" {
		return "somewhere"
	}
	return (&url.URL{Scheme: at.Scheme, Host: at.Host, Path: at.Path}).String()
}

// Complaints gives what the page has reported on its console so far: errors, exceptions, and what could not be loaded. No secret is in it.
func (w *witness) Complaints() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	clean := make([]string, len(w.complaints))
	for i, complaint := range w.complaints {
		clean[i] = w.scrub(complaint)
	}
	return clean
}

// Forgive forgets the complaints that have one of the texts in them, for a spec that means them to be.
func (w *witness) Forgive(parts ...string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.complaints = slices.DeleteFunc(w.complaints, func(complaint string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(complaint, part) })
	})
}

// Requests gives all requests so far. Their URLs may have secrets: compare them, and print none.
func (w *witness) Requests() []Request {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return slices.Clone(w.requests)
}

// Referers gives every Referer header that was sent so far, once. They may have secrets.
func (w *witness) Referers() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return slices.Clone(w.referers)
}
