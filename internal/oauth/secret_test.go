// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"k8s.io/klog/v2/textlogger"
	ctrlzap "sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/leak"
)

const canary = "canary-0123456789"

// carriers are the shapes in which a secret may come to be printed.
func carriers() map[string]any {
	type (
		exported   struct{ Secret oauth.Secret }
		unexported struct{ secret oauth.Secret }
		deep       struct{ in *unexported }
	)
	secret := oauth.NewSecret(canary)
	return map[string]any{
		"itself":                      secret,
		"behind a pointer":            &secret,
		"in an exported field":        exported{secret},
		"in an unexported field":      unexported{secret},
		"deep in unexported fields":   &deep{&unexported{secret}},
		"in a slice":                  []oauth.Secret{secret},
		"in an array":                 [1]oauth.Secret{secret},
		"in a map":                    map[string]oauth.Secret{"secret": secret},
		"in an interface":             []any{secret},
		"in a token request":          oauth.TokenRequest{Client: oauth.ClientAuthentication{Readings: []oauth.Presented{{ClientID: "a", Secret: secret}}}},
		"in a pointer to a map of it": &map[string]exported{"a": {secret}},
	}
}

func TestSecretReveals(t *testing.T) {
	if got := oauth.NewSecret(canary).Reveal(); got != canary {
		t.Errorf("got %q", got)
	}
	if got := (oauth.Secret{}).Reveal(); got != "" {
		t.Errorf("the zero value reveals %q", got)
	}
}

func TestSecretFormats(t *testing.T) {
	wrap := "%w" // a variable, because go vet knows of the mistake that is made with it
	for where, carrier := range carriers() {
		t.Run(where, func(t *testing.T) {
			for _, flags := range []string{"", "+", "#", "-", " ", "0", "40", ".3", "+#"} {
				for verb := 'A'; verb <= 'z'; verb++ {
					format := "%" + flags + string(verb)
					if text := fmt.Sprintf(format, carrier); leak.Holds(text, canary) {
						t.Errorf("%s prints %s", format, text)
					}
				}
			}
			for what, text := range map[string]string{
				"Sprint":                 fmt.Sprint(carrier),
				"a superfluous argument": fmt.Sprintf(strings.Repeat("x", 3), carrier),
				"a width":                fmt.Sprintf("%*d", carrier, 1),
				"Errorf":                 fmt.Errorf("%w: %v", io.EOF, carrier).Error(),
				"Errorf with a stray %w": fmt.Errorf(wrap, carrier).Error(),
			} {
				if leak.Holds(text, canary) {
					t.Errorf("%s prints %s", what, text)
				}
			}
		})
	}
	secret := oauth.NewSecret(canary)
	if got := fmt.Sprintf("%v|%s|%d|%#v|%x", secret, secret, secret, &secret, secret); got != "[secret]"+strings.Repeat("|[secret]", 4) {
		t.Errorf("got %q", got)
	}
}

func TestSecretMarshals(t *testing.T) {
	for where, carrier := range carriers() {
		t.Run(where, func(t *testing.T) {
			text, err := json.Marshal(carrier)
			if err != nil || leak.Holds(string(text), canary) {
				t.Errorf("JSON: got %s, %v", text, err)
			}
		})
	}
	secret := oauth.NewSecret(canary)
	if text, err := json.Marshal(secret); err != nil || string(text) != `"[secret]"` {
		t.Errorf("JSON: got %s, %v", text, err)
	}
	if text, err := xml.Marshal(secret); err != nil || leak.Holds(string(text), canary) {
		t.Errorf("XML: got %s, %v", text, err)
	}
}

func TestSecretIsNotLogged(t *testing.T) {
	zapWith := func(encoder zapcore.Encoder) func(io.Writer, any) {
		return func(w io.Writer, value any) {
			logger := zap.New(zapcore.NewCore(encoder, zapcore.AddSync(w), zapcore.DebugLevel))
			logger.Info("m", zap.Any("v", value), zap.Reflect("r", value))
			logger.Sugar().Infow("m", "v", value)
			logger.Sugar().Infof("%v", value)
			logger.Sugar().Info(value)
		}
	}
	logrWith := func(sink func(io.Writer) logr.Logger) func(io.Writer, any) {
		return func(w io.Writer, value any) { sink(w).WithValues("with", value).Info("m", "v", value) }
	}
	slogWith := func(handler func(io.Writer) slog.Handler) func(io.Writer, any) {
		return func(w io.Writer, value any) { slog.New(handler(w)).Info("m", "v", value) }
	}
	config := zap.NewProductionEncoderConfig()
	loggers := map[string]func(io.Writer, any){
		"zap with JSON":            zapWith(zapcore.NewJSONEncoder(config)),
		"zap with text":            zapWith(zapcore.NewConsoleEncoder(config)),
		"logr on zap, production":  logrWith(func(w io.Writer) logr.Logger { return ctrlzap.New(ctrlzap.WriteTo(w)) }),
		"logr on zap, development": logrWith(func(w io.Writer) logr.Logger { return ctrlzap.New(ctrlzap.WriteTo(w), ctrlzap.UseDevMode(true)) }),
		"logr on klog":             logrWith(func(w io.Writer) logr.Logger { return textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(w))) }),
		"logr on functions, as key=value": logrWith(func(w io.Writer) logr.Logger {
			return funcr.New(func(_, args string) { _, _ = io.WriteString(w, args) }, funcr.Options{})
		}),
		"logr on functions, as JSON": logrWith(func(w io.Writer) logr.Logger {
			return funcr.NewJSON(func(line string) { _, _ = io.WriteString(w, line) }, funcr.Options{})
		}),
		"slog with text": slogWith(func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) }),
		"slog with JSON": slogWith(func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) }),
	}
	for name, log := range loggers {
		for where, carrier := range carriers() {
			t.Run(name+", "+where, func(t *testing.T) {
				var out bytes.Buffer
				log(&out, carrier)
				if out.Len() == 0 {
					t.Fatal("nothing was logged")
				}
				if leak.Holds(out.String(), canary) {
					t.Errorf("logged %s", out.String())
				}
			})
		}
	}
}
