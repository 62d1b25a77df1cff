// SPDX-License-Identifier: Apache-2.0

// Package tour walks through Claviger as a user would, with kubectl and curl, and checks every step it shows.
package tour

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/claviger/claviger/config"
)

// Place is where the tour takes place.
type Place struct {
	Kubectl string
	// Env are variables for the commands, as KEY=value.
	Env       []string
	TokenURL  string
	VerifyURL string
	// ConnectURL is where the connect role is, and ApplicationURL the third-party application.
	ConnectURL     string
	ApplicationURL string
}

// What config/samples makes.
const (
	sampleNamespace  = "acme"
	sampleCredential = "orders"
	sampleAccount    = "acme"
)

// tour is one that is under way: what each step found, for the next ones.
type tour struct {
	shell   *shell
	place   Place
	webhook *webhook

	clientID     string
	clientSecret string
	token        string

	connection connection
}

// Run takes the tour. It fails at the first surprise.
func Run(ctx context.Context, out io.Writer, place Place) error {
	hook, err := startWebhook(ctx, place.VerifyURL, sampleAccount)
	if err != nil {
		return err
	}
	defer hook.stop()
	page, err := startHost(ctx)
	if err != nil {
		return err
	}
	defer page.stop()
	t := &tour{connection: connection{host: page}, shell: newShell(out, place), place: place, webhook: hook}
	steps := []struct {
		title string
		run   func(context.Context) error
	}{
		{"A platform team applies YAML: an account, and a credential for its webhooks.", t.apply},
		{"Claviger has made a client ID and secret, and says so.", t.show},
		{"They are in a Secret that a workload mounts. These are its keys:", t.keys},
		{"The workload trades them for a token.", t.takeToken},
		{"Acme's webhook asks Claviger's /verify about every call. Without a token: 401.", t.callWithout},
		{"With a token that is none of ours: 401.", t.callWrong},
		{"With the token: 200.", t.callRight},
		{"The same token at Acme's MCP server, which needs another scope: 403.", t.callElsewhere},
		{"A rotation: the Secret gets a new client secret, and the one before works for another 24 hours.", t.rotate},
		{"Suspending the credential kills its tokens at once: 401.", t.suspend},
		{"The other way round: Acme lets the platform use its account at a third-party application. More YAML.", t.applyConnection},
		{"The platform's backend makes a sign-in link for Acme's user jane, with a console-level token.", t.makeLink},
		{"Jane follows the link in her browser, signs in at Paperclip CRM, and comes back.", t.signIn},
		{"The account is connected: a Secret holds an access token, which the application accepts.", t.useConnection},
		{"It expires in seconds, and a workload never notices: Claviger puts another one in its place.", t.seeRefresh},
	}
	for i, step := range steps {
		t.shell.say("\n[%d/%d] %s\n", i+1, len(steps), step.title)
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	t.shell.say("\nThat was the tour. `make sandbox` starts one to stay; the README goes on from here.\n")
	return nil
}

func (t *tour) apply(ctx context.Context) error {
	samples, err := config.SampleFiles()
	if err != nil {
		return err
	}
	t.shell.say("%s", samples)
	if _, err := t.shell.kubectlWith(ctx, samples, "apply", "-f", "-"); err != nil {
		return err
	}
	_, err = t.shell.kubectl(ctx, "wait", "-n", sampleNamespace, "clientcredential/"+sampleCredential, "--for=condition=Ready", "--timeout=30s")
	return err
}

func (t *tour) show(ctx context.Context) error {
	if _, err := t.shell.kubectl(ctx, "get", "accounts"); err != nil {
		return err
	}
	listed, err := t.shell.kubectl(ctx, "get", "clientcredentials", "-A")
	if err != nil {
		return err
	}
	return expect(strings.Contains(listed, "Issued"), "the credential is not listed as Issued")
}

func (t *tour) keys(ctx context.Context) error {
	if _, err := t.shell.kubectl(ctx, "get", "secret", "-n", sampleNamespace, sampleCredential,
		"-o", `go-template={{range $key, $value := .data}}{{$key}}{{"\n"}}{{end}}`); err != nil {
		return err
	}
	return t.readSecret(ctx)
}

func (t *tour) takeToken(ctx context.Context) error {
	t.shell.hide("CLIENT_SECRET", t.clientSecret)
	body, err := t.shell.curl(ctx, "-d", "grant_type=client_credentials", "-d", "client_id="+t.clientID,
		"-d", "client_secret="+t.clientSecret, t.place.TokenURL)
	if err != nil {
		return err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
		Scope       string `json:"scope"`
	}
	if err := json.Unmarshal([]byte(body.text), &answer); err != nil {
		return errors.New("the token endpoint did not answer in JSON")
	}
	t.token = answer.AccessToken
	t.shell.hide("TOKEN", t.token)
	t.shell.show(body)
	if err := t.showClaims(); err != nil {
		return err
	}
	return expect(body.status == 200 && t.token != "" && answer.ExpiresIn == 3600 && answer.Scope == "Webhook",
		"the token is not one of 3600 seconds for scope Webhook")
}

// showClaims shows what the token says. Without its signature that is no token.
func (t *tour) showClaims() error {
	parts := strings.Split(t.token, ".")
	if len(parts) != 3 {
		return errors.New("the token is no JWT")
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return errors.New("the token's claims are not base64url")
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, claims, "", "  "); err != nil {
		return errors.New("the token's claims are not JSON")
	}
	t.shell.say("It is a JWT that says:\n%s\n", indented.String())
	return nil
}

func (t *tour) callWithout(ctx context.Context) error {
	return t.call(ctx, 401, t.webhook.url)
}

func (t *tour) callWrong(ctx context.Context) error {
	return t.call(ctx, 401, "-H", "Authorization: Bearer not-a-token", t.webhook.url)
}

func (t *tour) callRight(ctx context.Context) error {
	return t.call(ctx, 200, "-H", "Authorization: Bearer "+t.token, t.webhook.url)
}

func (t *tour) callElsewhere(ctx context.Context) error {
	return t.call(ctx, 403, "-H", "Authorization: Bearer "+t.token, t.place.VerifyURL+"?scope=MCP&account="+sampleAccount)
}

func (t *tour) suspend(ctx context.Context) error {
	_, err := t.shell.kubectl(ctx, "patch", "-n", sampleNamespace, "clientcredential", sampleCredential,
		"--type=merge", "-p", `{"spec":{"suspend":true}}`)
	if err != nil {
		return err
	}
	if err := t.untilRefused(ctx); err != nil {
		return err
	}
	return t.call(ctx, 401, "-H", "Authorization: Bearer "+t.token, t.webhook.url)
}

// call calls with curl and expects a status.
func (t *tour) call(ctx context.Context, status int, args ...string) error {
	answer, err := t.shell.curl(ctx, args...)
	if err != nil {
		return err
	}
	t.shell.show(answer)
	return expect(answer.status == status, fmt.Sprintf("the answer is %d, not %d", answer.status, status))
}

// expect turns a surprise into an error.
func expect(fulfilled bool, otherwise string) error {
	if fulfilled {
		return nil
	}
	return errors.New(otherwise)
}
