// SPDX-License-Identifier: Apache-2.0

package tour

import (
	"context"
	"encoding/json"
	"errors"
)

// rotate asks for a new client secret and waits until the Secret has it.
func (t *tour) rotate(ctx context.Context) error {
	const request = "tour"
	if _, err := t.shell.kubectl(ctx, "annotate", "-n", sampleNamespace, "clientcredential", sampleCredential, "claviger.dev/rotate="+request); err != nil {
		return err
	}
	if _, err := t.shell.kubectl(ctx, "wait", "-n", sampleNamespace, "clientcredential/"+sampleCredential,
		"--for=jsonpath={.status.rotation.request}="+request, "--timeout=30s"); err != nil {
		return err
	}
	before := t.clientSecret
	if err := t.readSecret(ctx); err != nil {
		return err
	}
	t.shell.hide("NEW_CLIENT_SECRET", t.clientSecret)
	if err := expect(t.clientSecret != before, "the client secret is the same"); err != nil {
		return err
	}
	for _, secret := range []string{before, t.clientSecret} {
		if err := t.takesToken(ctx, secret); err != nil {
			return err
		}
	}
	return nil
}

// takesToken trades a client secret for a token and shows that it is good for one.
func (t *tour) takesToken(ctx context.Context, secret string) error {
	body, err := t.shell.curl(ctx, "-d", "grant_type=client_credentials", "-d", "client_id="+t.clientID, "-d", "client_secret="+secret, t.place.TokenURL)
	if err != nil {
		return err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body.text), &answer); err != nil {
		return errors.New("the token endpoint did not answer in JSON")
	}
	t.shell.hide("ANOTHER_TOKEN", answer.AccessToken)
	t.shell.show(body)
	return expect(body.status == 200, "the secret is good for no token")
}

// readSecret reads the client ID and secret, and shows nothing.
func (t *tour) readSecret(ctx context.Context) error {
	var secret struct{ Data map[string][]byte }
	raw, err := t.shell.quietKubectl(ctx, "get", "secret", "-n", sampleNamespace, sampleCredential, "-o", "json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(raw), &secret); err != nil {
		return errors.New("the Secret is not JSON")
	}
	t.clientID, t.clientSecret = string(secret.Data["client_id"]), string(secret.Data["client_secret"])
	return expect(t.clientID == sampleNamespace+"."+sampleCredential && t.clientSecret != "", "the Secret lacks a client ID or secret")
}
