// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/zapr"
	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

// namespaceFile is where a pod finds the name of its own namespace.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// Common are the options that every role has.
type Common struct {
	Kubeconfig        string
	Namespace         string
	Issuer            string
	AllowPlainHTTP    bool
	ConsoleNamespaces []string
	// WatchNamespaces are those whose objects count, beside the operator's own and those of the console. Empty: all.
	WatchNamespaces []string
	MetricsAddress  string
	LogLevel        string
	LogFormat       string
	// MaxTokenExpiryMinutes bounds the lifetime of every token.
	MaxTokenExpiryMinutes int32
	// Clock tells the time. Complete sets it to the machine's where it is nil.
	Clock func() time.Time

	issuer oauth.IssuerURL
}

func (o *Common) bind(flags *pflag.FlagSet) {
	o.bindProcess(flags)
	o.bindCluster(flags)
	flags.Int32Var(&o.MaxTokenExpiryMinutes, "max-token-expiry-minutes", credential.LongestTokenExpiryMinutes, "longest lifetime of a token in minutes, whatever a credential or an Account asks for; the same for every role")
}

// bindProcess defines the flags that make sense without a cluster too.
func (o *Common) bindProcess(flags *pflag.FlagSet) {
	flags.StringVar(&o.Issuer, "issuer", "", "issuer identifier: the https URL that clients reach the token service at (required)")
	flags.BoolVar(&o.AllowPlainHTTP, "allow-plain-http", false, "allow http for the issuer, and listening without a certificate, beyond loopback")
	flags.StringVar(&o.MetricsAddress, "metrics-bind-address", "127.0.0.1:8080", `address of /metrics; "0" switches it off`)
	flags.StringVar(&o.LogLevel, "log-level", "info", "debug or info; errors are always told")
	flags.StringVar(&o.LogFormat, "log-format", "json", "json or text")
}

// bindCluster defines the flags of those who read Claviger's objects.
func (o *Common) bindCluster(flags *pflag.FlagSet) {
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "path of a kubeconfig file (default: $KUBECONFIG, ~/.kube/config, else the pod's ServiceAccount)")
	flags.StringVar(&o.Namespace, "namespace", "", "the operator's own namespace (default: the pod's, else "+config.Namespace+")")
	flags.StringSliceVar(&o.WatchNamespaces, "watch-namespaces", nil, "namespaces whose objects count, beside --namespace and --console-namespaces, so that no right is needed in others (default: all)")
	flags.StringSliceVar(&o.ConsoleNamespaces, "console-namespaces", nil, "namespaces that may hold console-level credentials (default: --namespace)")
}

// Complete fills in what depends on the place the process runs in, and validates. It reports every mistake at once.
func (o *Common) Complete() error {
	if o.Namespace == "" {
		o.Namespace = ownNamespace()
	}
	if len(o.ConsoleNamespaces) == 0 {
		o.ConsoleNamespaces = []string{o.Namespace}
	}
	var mistakes []error
	for namespace := range sets.New(o.ConsoleNamespaces...).Insert(o.WatchNamespaces...).Insert(o.Namespace) {
		if wrong := validation.IsDNS1123Label(namespace); len(wrong) > 0 {
			mistakes = append(mistakes, fmt.Errorf("%q is not the name of a namespace: %s", namespace, strings.Join(wrong, "; ")))
		}
	}
	if o.Issuer == "" {
		mistakes = append(mistakes, errors.New("--issuer is required"))
	} else {
		issuer, err := oauth.ParseIssuerURL(o.Issuer, o.AllowPlainHTTP)
		o.issuer = issuer
		mistakes = append(mistakes, err)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.MaxTokenExpiryMinutes == 0 {
		o.MaxTokenExpiryMinutes = credential.LongestTokenExpiryMinutes
	}
	if o.MaxTokenExpiryMinutes < 0 || o.MaxTokenExpiryMinutes > credential.LongestTokenExpiryMinutes {
		mistakes = append(mistakes, fmt.Errorf("--max-token-expiry-minutes: %d is not from 1 to %d", o.MaxTokenExpiryMinutes, credential.LongestTokenExpiryMinutes))
	}
	if o.LogLevel != "debug" && o.LogLevel != "info" { // a higher one would silence the audit log
		mistakes = append(mistakes, fmt.Errorf("--log-level: %q is neither debug nor info", o.LogLevel))
	}
	if o.LogFormat != "json" && o.LogFormat != "text" {
		mistakes = append(mistakes, fmt.Errorf("--log-format: %q is neither json nor text", o.LogFormat))
	}
	return errors.Join(mistakes...)
}

func ownNamespace() string {
	if raw, err := os.ReadFile(namespaceFile); err == nil {
		return strings.TrimSpace(string(raw))
	}
	return config.Namespace
}

func (o *Common) rules() credential.Rules {
	return credential.Rules{
		ConsoleNamespaces: o.ConsoleNamespaces,
		MaxTokenLifetime:  time.Duration(o.MaxTokenExpiryMinutes) * time.Minute,
	}
}

// Logger makes the logger that the options ask for. Complete has validated them. Every line is written: a logger that drops
// repeated lines under load would drop audit events.
func (o *Common) Logger(out io.Writer) logr.Logger {
	level := zapcore.InfoLevel
	if o.LogLevel == "debug" {
		level = zapcore.DebugLevel
	}
	fields := zap.NewProductionEncoderConfig()
	fields.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder := zapcore.NewJSONEncoder(fields)
	if o.LogFormat == "text" {
		encoder = zapcore.NewConsoleEncoder(fields)
	}
	return zapr.NewLogger(zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(out)), level)))
}

// UseLogger makes a logger that of the libraries that have only a global one.
func UseLogger(logger logr.Logger) {
	klog.SetLogger(logger)
	log.SetLogger(logger)
}

// restConfig finds the API server. The API server's own priority and fairness bounds our rate, not the client.
func (o *Common) restConfig() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.Kubeconfig
	access, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the API server: %w", err)
	}
	access.QPS = -1
	return access, nil
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("building the scheme: %w", err)
	}
	return scheme, nil
}
