// SPDX-License-Identifier: Apache-2.0

package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/claviger/claviger/controllers/keymaterial"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/kube"
)

// Defaults of the rotation of signing keys.
const (
	DefaultSigningKeyInterval = 720 * time.Hour
	DefaultSigningKeyLead     = 24 * time.Hour
)

const (
	leastSigningKeyInterval = time.Hour
	leastSigningKeyLead     = 2 * keyring.MaxAge
	// mostSigningKeys keeps the JWK set short enough to be fetched by every validator. It leaves room below keyring.MaxKeys for
	// keys that somebody asks for.
	mostSigningKeys = 100
)

func (o *ManagerOptions) bindSigningKeys(flags *pflag.FlagSet) {
	flags.DurationVar(&o.SigningKeyInterval, "signing-key-interval", DefaultSigningKeyInterval, "how long a signing key signs before the next one does")
	flags.StringVar(&o.SigningAlgorithm, "signing-algorithm", keyring.AlgorithmES256, "algorithm of signing keys to come: "+strings.Join(keyring.Algorithms(), ", "))
	flags.DurationVar(&o.SigningKeyLead, "signing-key-lead", DefaultSigningKeyLead, "how long a signing key is published before it signs")
}

// completeSigningKeys fills in and validates. The bound of lifetimes is complete.
func (o *ManagerOptions) completeSigningKeys() error {
	if o.SigningKeyInterval == 0 {
		o.SigningKeyInterval = DefaultSigningKeyInterval
	}
	if o.SigningKeyLead == 0 {
		o.SigningKeyLead = DefaultSigningKeyLead
	}
	if o.SigningAlgorithm == "" {
		o.SigningAlgorithm = keyring.AlgorithmES256
	}
	var mistakes []error
	if !slices.Contains(keyring.Algorithms(), o.SigningAlgorithm) {
		mistakes = append(mistakes, fmt.Errorf("--signing-algorithm: %q is none of %s", o.SigningAlgorithm, strings.Join(keyring.Algorithms(), ", ")))
	}
	if o.SigningKeyLead < leastSigningKeyLead {
		mistakes = append(mistakes, fmt.Errorf("--signing-key-lead: %v is less than %v", o.SigningKeyLead, leastSigningKeyLead))
	}
	switch {
	case o.SigningKeyInterval < leastSigningKeyInterval:
		mistakes = append(mistakes, fmt.Errorf("--signing-key-interval: %v is less than %v", o.SigningKeyInterval, leastSigningKeyInterval))
	case o.SigningKeyLead > o.SigningKeyInterval/2:
		mistakes = append(mistakes, fmt.Errorf("--signing-key-interval: %v is less than twice --signing-key-lead", o.SigningKeyInterval))
	case o.signingKeySchedule().Peak() > mostSigningKeys:
		mistakes = append(mistakes, fmt.Errorf("--signing-key-interval: with tokens that live for up to %v it makes for %d keys at a time, and at most %d are published; "+
			"lengthen it, or lower --max-token-expiry-minutes", o.rules().MaxTokenLifetime, o.signingKeySchedule().Peak(), mostSigningKeys))
	}
	return errors.Join(mistakes...)
}

func (o *ManagerOptions) signingKeySchedule() keyring.Schedule {
	return keyring.Schedule{
		Interval: o.SigningKeyInterval, Lead: o.SigningKeyLead, MaxTokenLifetime: o.rules().MaxTokenLifetime,
		Algorithm: o.SigningAlgorithm,
	}
}

func addKeyMaterial(manager ctrl.Manager, secrets kube.Secrets, options ManagerOptions) error {
	measured, err := keymaterial.NewMetrics(metrics.Registry)
	if err != nil {
		return err
	}
	keys := &keymaterial.Reconciler{
		Secrets:   secrets,
		Recorder:  manager.GetEventRecorder("claviger-manager"),
		Metrics:   measured,
		Namespace: options.Namespace,
		Schedule:  options.signingKeySchedule(),
		Now:       options.Clock,
		Random:    rand.Reader,
	}
	if err := keys.SetupWithManager(manager); err != nil {
		return fmt.Errorf("adding the keymaterial controller: %w", err)
	}
	return nil
}
