// SPDX-License-Identifier: Apache-2.0

// Package notification tells a service of the operator's of connections that fail and that are well again, by signed HTTP POSTs as
// Standard Webhooks has them (https://www.standardwebhooks.com).
package notification

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Types of messages.
const (
	TypeFailing   = "connection.failing"
	TypeRecovered = "connection.recovered"
)

// Message is what is told.
type Message struct {
	// ID is the same each time that the message is sent, so that its receiver can tell a repetition.
	ID string `json:"-"`
	// Type is one of the types.
	Type string `json:"type"`
	// Timestamp is when what is told has happened.
	Timestamp time.Time `json:"timestamp"`
	Data      Data      `json:"data"`
}

// Data says which connection it is, and what there is to say of it. There is no secret in it.
type Data struct {
	Account   string `json:"account"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// ID is the AccountConnectorID.
	ID        string `json:"id"`
	Connector string `json:"connector"`
	// Reason and Message are those of a condition.
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Hook is the operator's service. All fields are required.
type Hook struct {
	URL string
	// KeyFile holds the keys that messages are signed with. It is read for each message.
	KeyFile string
	HTTP    *http.Client
	Now     func() time.Time
}

// mostOfAnAnswer is how much of an answer is read, so that its connection can be used again.
const mostOfAnAnswer = 64 << 10

var (
	errRefused     = errors.New("the notification hook does not take it")
	errUnreachable = errors.New("the notification hook cannot be reached, or does not answer in time")
	errURL         = errors.New("the URL of the notification hook is none")
)

// Tell sends a message once. It is told where the answer is 2xx. Errors name neither the URL, which may have a secret in it, nor anything
// that the service said.
func (h *Hook) Tell(ctx context.Context, message Message) error {
	keys, err := ReadKeys(h.KeyFile)
	if err != nil {
		return err
	}
	body, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encoding a notification: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return errURL
	}
	now := h.Now()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Claviger")
	request.Header.Set("Webhook-Id", message.ID)
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	request.Header.Set("Webhook-Signature", sign(keys, message.ID, now, body))
	response, err := h.HTTP.Do(request)
	if err != nil {
		return explain(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing in it matters
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, mostOfAnAnswer))
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%w: status %d", errRefused, response.StatusCode)
	}
	return nil
}

// explain leaves out the URL that the library quotes.
func explain(err error) error {
	var quoting *url.Error
	if errors.As(err, &quoting) && !quoting.Timeout() {
		return fmt.Errorf("%w: %w", errUnreachable, quoting.Err)
	}
	return errUnreachable
}
