// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	hooked "github.com/claviger/claviger/controllers/notification"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/notification"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/outbound"
)

// notifyWithin bounds a call of the notification hook.
const notifyWithin = 10 * time.Second

// NotificationOptions say who is told of connections that fail.
type NotificationOptions struct {
	// NotificationURL is called. Empty: nobody is told.
	NotificationURL string
	// NotificationKeyFile holds the keys that messages are signed with.
	NotificationKeyFile string
}

func (o *NotificationOptions) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.NotificationURL, "notification-url", "", "URL that is told of connections that fail, and that are well again, by signed POSTs")
	flags.StringVar(&o.NotificationKeyFile, "notification-key-file", "", "file with the keys that these are signed with, one a line: whsec_ and base64; read anew for each")
}

// completeNotifications validates. It quotes nothing of the URL, which may have a secret in it.
func (o *NotificationOptions) completeNotifications(allowPlainHTTP bool) error {
	if o.NotificationURL == "" && o.NotificationKeyFile == "" {
		return nil
	}
	if o.NotificationURL == "" || o.NotificationKeyFile == "" {
		return errors.New("--notification-url and --notification-key-file need each other")
	}
	var mistakes []error
	parsed, err := url.Parse(o.NotificationURL)
	switch {
	case err != nil || parsed.Hostname() == "" || parsed.User != nil || parsed.Scheme != "https" && parsed.Scheme != "http":
		mistakes = append(mistakes, errors.New("--notification-url must be an absolute https URL without a user"))
	case parsed.Scheme == "http" && !allowPlainHTTP && !oauth.IsLoopbackHost(parsed.Hostname()):
		mistakes = append(mistakes, errors.New("--notification-url must be https unless it is on loopback or --allow-plain-http is given"))
	}
	if _, err := notification.ReadKeys(o.NotificationKeyFile); err != nil {
		mistakes = append(mistakes, fmt.Errorf("--notification-key-file: %w", err))
	}
	return errors.Join(mistakes...)
}

// addNotifications adds the controller that tells the hook, where there is one. The operator has chosen the URL, and not whoever writes
// objects, so it may be a private address.
func addNotifications(manager ctrl.Manager, options ManagerOptions) error {
	if options.NotificationURL == "" {
		return nil
	}
	told, err := hooked.NewTold(metrics.Registry)
	if err != nil {
		return err
	}
	notifications := &hooked.Reconciler{
		Client: manager.GetClient(),
		Hook: &notification.Hook{
			URL: options.NotificationURL, KeyFile: options.NotificationKeyFile, HTTP: outbound.NewClient("", notifyWithin), Now: options.Clock,
		},
		Written: &kube.Written{},
		Told:    told,
		Now:     options.Clock,
	}
	if err := notifications.SetupWithManager(manager); err != nil {
		return fmt.Errorf("adding the notification controller: %w", err)
	}
	return nil
}
