// SPDX-License-Identifier: Apache-2.0

package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/kube"
)

// freshness tells how new what a replica knows is: times and not ages, so that they are right whenever they are read. It reads
// them when metrics are asked for, and costs nothing otherwise.
type freshness struct {
	contact *kube.Contact
	keys    issuer.Keys
	now     func() time.Time

	heard, signing, next *prometheus.Desc
}

func newFreshness(contact *kube.Contact, keys issuer.Keys, now func() time.Time) *freshness {
	return &freshness{
		contact: contact, keys: keys, now: now,
		heard: prometheus.NewDesc("claviger_informer_last_contact_timestamp_seconds",
			"When the API server last said anything about these objects, in seconds since 1970.", []string{"resource"}, nil),
		signing: prometheus.NewDesc("claviger_signing_key_since_timestamp_seconds",
			"Since when the key that signs now has signed, in seconds since 1970.", nil, nil),
		next: prometheus.NewDesc("claviger_signing_key_next_timestamp_seconds",
			"When the next key that is published begins to sign, in seconds since 1970; none while there is none.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (f *freshness) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- f.heard
	descriptions <- f.signing
	descriptions <- f.next
}

// Collect implements prometheus.Collector.
func (f *freshness) Collect(metrics chan<- prometheus.Metric) {
	tell := func(what *prometheus.Desc, at time.Time, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(what, prometheus.GaugeValue, float64(at.UnixMilli())/1000, labels...)
	}
	for resource, at := range f.contact.Last() {
		tell(f.heard, at, resource)
	}
	ring, loaded := f.keys.Ring()
	if !loaded {
		return
	}
	tell(f.signing, ring.Signer(f.now()).SignFrom)
	if next, found := ring.Next(f.now()); found {
		tell(f.next, next.SignFrom)
	}
}
