// SPDX-License-Identifier: Apache-2.0

package tour

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/claviger/claviger/config"
)

// What config/samples/connection makes, and where it expects its surroundings.
const (
	sampleConnection  = "crm"
	sampleApplication = "http://127.0.0.1:8091"
	samplePage        = "http://127.0.0.1:8765"
	sampleUser        = "jane"
)

// connection is what is found on the way to one.
type connection struct {
	host        *host
	link        string
	accessToken string
}

func (t *tour) applyConnection(ctx context.Context) error {
	sample, err := config.ConnectionSample()
	if err != nil {
		return err
	}
	// The tour is on other ports than those of a sandbox that stays.
	sample = strings.NewReplacer(sampleApplication, t.place.ApplicationURL, samplePage, t.connection.host.origin).Replace(sample)
	t.shell.say("%s", sample)
	if _, err := t.shell.kubectlWith(ctx, sample, "apply", "-f", "-"); err != nil {
		return err
	}
	if _, err := t.shell.kubectl(ctx, "wait", "-n", config.Namespace, "clientcredential/console", "--for=condition=Ready", "--timeout=30s"); err != nil {
		return err
	}
	if _, err := t.shell.kubectl(ctx, "wait", "connector/paperclip", "--for=condition=Ready", "--timeout=30s"); err != nil {
		return err
	}
	if _, err := t.shell.kubectl(ctx, "wait", "-n", sampleNamespace, "accountconnector/"+sampleConnection,
		"--for=jsonpath={.status.conditions[?(@.type==\"Ready\")].reason}=SignInRequired", "--timeout=30s"); err != nil {
		return err
	}
	_, err = t.shell.kubectl(ctx, "get", "accountconnectors", "-A")
	return err
}

// makeLink does what a host's backend does.
func (t *tour) makeLink(ctx context.Context) error {
	bearer, err := t.takeConsoleToken(ctx)
	if err != nil {
		return err
	}
	const id = sampleNamespace + "." + sampleConnection
	body, err := json.Marshal(map[string]string{"Username": sampleUser, "AccountConnectorId": id, "TargetOrigin": t.connection.host.origin})
	if err != nil {
		return fmt.Errorf("writing the request: %w", err)
	}
	got, err := t.shell.curl(ctx, "-H", "Authorization: Bearer "+bearer, "-H", "Content-Type: application/json", "-d", string(body),
		t.place.ConnectURL+"/v1.0/accounts/"+sampleAccount+"/signintoken")
	if err != nil {
		return err
	}
	var issued struct{ Token string }
	if err := json.Unmarshal([]byte(got.text), &issued); err != nil || issued.Token == "" {
		t.shell.show(got)
		return errors.New("the answer has no sign-in token")
	}
	t.shell.hide("SIGN_IN_TOKEN", issued.Token)
	t.shell.show(got)
	query := url.Values{"id": {id}, "token": {issued.Token}, "targetOrigin": {t.connection.host.origin}}
	t.connection.link = t.place.ConnectURL + "/connectorauth/updateaccountconnectoroauth?" + query.Encode()
	t.shell.say("The link, which works once and for five minutes:\n%s\n", t.shell.redact(t.connection.link))
	return expect(got.status == 200, "no sign-in token is made")
}

func (t *tour) takeConsoleToken(ctx context.Context) (string, error) {
	var secret struct{ Data map[string][]byte }
	raw, err := t.shell.quietKubectl(ctx, "get", "secret", "-n", config.Namespace, "console", "-o", "json")
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal([]byte(raw), &secret); err != nil {
		return "", errors.New("the Secret is not JSON")
	}
	t.shell.hide("CONSOLE_SECRET", string(secret.Data["client_secret"]))
	body, err := t.shell.curl(ctx, "-d", "grant_type=client_credentials", "-d", "client_id="+string(secret.Data["client_id"]),
		"-d", "client_secret="+string(secret.Data["client_secret"]), "-d", "scope=API account:"+sampleAccount, t.place.TokenURL)
	if err != nil {
		return "", err
	}
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body.text), &granted); err != nil || granted.AccessToken == "" {
		return "", errors.New("the token endpoint gave no token")
	}
	t.shell.hide("CONSOLE_TOKEN", granted.AccessToken)
	t.shell.show(body)
	return granted.AccessToken, nil
}

// useConnection waits for the Secret, and calls the application with what is in it.
func (t *tour) useConnection(ctx context.Context) error {
	if _, err := t.shell.kubectl(ctx, "wait", "-n", sampleNamespace, "accountconnector/"+sampleConnection, "--for=condition=Ready", "--timeout=30s"); err != nil {
		return err
	}
	if _, err := t.shell.kubectl(ctx, "get", "accountconnectors", "-A"); err != nil {
		return err
	}
	token, err := t.readAccessToken(ctx)
	if err != nil {
		return err
	}
	t.connection.accessToken = token
	t.shell.hide("ACCESS_TOKEN", token)
	return t.call(ctx, 200, "-H", "Authorization: Bearer "+token, t.place.ApplicationURL+"/me")
}

// seeRefresh waits until another token is in the Secret, and calls with that. It counts looks, not time, as untilRefused does.
func (t *tour) seeRefresh(ctx context.Context) error {
	const looks, pause = 240, 250 * time.Millisecond
	for range looks {
		token, err := t.readAccessToken(ctx)
		if err != nil {
			return err
		}
		if token != t.connection.accessToken {
			t.shell.hide("NEW_ACCESS_TOKEN", token)
			return t.call(ctx, 200, "-H", "Authorization: Bearer "+token, t.place.ApplicationURL+"/me")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for a refresh: %w", ctx.Err())
		case <-time.After(pause):
		}
	}
	return errors.New("the access token was not refreshed")
}

func (t *tour) readAccessToken(ctx context.Context) (string, error) {
	var secret struct{ Data map[string][]byte }
	raw, err := t.shell.quietKubectl(ctx, "get", "secret", "-n", sampleNamespace, sampleConnection, "-o", "json")
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal([]byte(raw), &secret); err != nil {
		return "", errors.New("the Secret is not JSON")
	}
	token := string(secret.Data["access_token"])
	return token, expect(token != "", "the Secret holds no access token")
}
