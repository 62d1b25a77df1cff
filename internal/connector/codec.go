// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/claviger/claviger/internal/oauth"
)

// document is a Record as JSON. Times are RFC 3339, in UTC.
type document struct {
	Generation        int64                  `json:"generation"`
	AccessToken       string                 `json:"accessToken,omitempty"`
	RefreshToken      string                 `json:"refreshToken,omitempty"`
	TokenType         string                 `json:"tokenType,omitempty"`
	Scope             string                 `json:"scope,omitempty"`
	IssuedAt          time.Time              `json:"issuedAt,omitzero"`
	ExpiresAt         time.Time              `json:"expiresAt,omitzero"`
	RefreshExpiresAt  time.Time              `json:"refreshExpiresAt,omitzero"`
	RefreshLife       time.Duration          `json:"refreshLife,omitempty"`
	AuthorizedAt      time.Time              `json:"authorizedAt,omitzero"`
	ClientFingerprint string                 `json:"clientFingerprint,omitempty"`
	AuthorizedBy      string                 `json:"authorizedBy,omitempty"`
	Imported          string                 `json:"imported,omitempty"`
	Pushed            string                 `json:"pushed,omitempty"`
	Intent            *intentDocument        `json:"intent,omitempty"`
	Reauthorize       *reauthorizeDocument   `json:"reauthorize,omitempty"`
	Misconfigured     *misconfiguredDocument `json:"misconfigured,omitempty"`
}

type intentDocument struct {
	Attempt                 string    `json:"attempt"`
	Holder                  string    `json:"holder"`
	StartedAt               time.Time `json:"startedAt"`
	RefreshTokenFingerprint string    `json:"refreshTokenFingerprint,omitempty"`
	Recoveries              int       `json:"recoveries,omitempty"`
}

type reauthorizeDocument struct {
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

type misconfiguredDocument struct {
	Code          string    `json:"code"`
	At            time.Time `json:"at"`
	Configuration string    `json:"configuration"`
}

// ErrDamaged says that a document is no record of ours. Its text quotes nothing.
var ErrDamaged = errors.New("the record is damaged: it is left alone, restore it, or delete it and have a user sign in again")

// Encode gives the record as a document, for a Secret.
func (r Record) Encode() ([]byte, error) {
	d := document{
		Generation: r.Generation, AccessToken: r.AccessToken.Reveal(), RefreshToken: r.RefreshToken.Reveal(),
		TokenType: r.TokenType, Scope: r.Scope,
		IssuedAt: r.IssuedAt.UTC(), ExpiresAt: r.ExpiresAt.UTC(), RefreshExpiresAt: r.RefreshExpiresAt.UTC(), RefreshLife: r.RefreshLife,
		AuthorizedAt:      r.AuthorizedAt.UTC(),
		ClientFingerprint: r.ClientFingerprint, AuthorizedBy: r.AuthorizedBy, Imported: r.Imported, Pushed: r.Pushed,
	}
	if intent := r.Intent; intent != nil {
		d.Intent = &intentDocument{
			Attempt: intent.Attempt, Holder: intent.Holder, StartedAt: intent.StartedAt.UTC(),
			RefreshTokenFingerprint: intent.RefreshTokenFingerprint, Recoveries: intent.Recoveries,
		}
	}
	if dead := r.Reauthorize; dead != nil {
		d.Reauthorize = &reauthorizeDocument{Reason: dead.Reason, At: dead.At.UTC()}
	}
	if wrong := r.Misconfigured; wrong != nil {
		d.Misconfigured = &misconfiguredDocument{Code: wrong.Code, At: wrong.At.UTC(), Configuration: wrong.Configuration}
	}
	text, err := json.Marshal(d) //nolint:gosec // G117: for a Secret, which is where tokens belong
	if err != nil {
		return nil, fmt.Errorf("encoding a record: %w", err)
	}
	return text, nil
}

// Decode reads a document. None at all is a record of nothing; one that is damaged is an error.
func Decode(text []byte) (Record, error) {
	if len(text) == 0 {
		return Record{}, nil
	}
	var d document
	if json.Unmarshal(text, &d) != nil || d.Generation < 0 {
		return Record{}, ErrDamaged
	}
	r := Record{
		Generation: d.Generation, AccessToken: secretOf(d.AccessToken), RefreshToken: secretOf(d.RefreshToken),
		TokenType: d.TokenType, Scope: d.Scope,
		IssuedAt: d.IssuedAt, ExpiresAt: d.ExpiresAt, RefreshExpiresAt: d.RefreshExpiresAt, RefreshLife: d.RefreshLife,
		AuthorizedAt:      d.AuthorizedAt,
		ClientFingerprint: d.ClientFingerprint, AuthorizedBy: d.AuthorizedBy, Imported: d.Imported, Pushed: d.Pushed,
	}
	if intent := d.Intent; intent != nil {
		if intent.Attempt == "" {
			return Record{}, ErrDamaged
		}
		r.Intent = &Intent{
			Attempt: intent.Attempt, Holder: intent.Holder, StartedAt: intent.StartedAt,
			RefreshTokenFingerprint: intent.RefreshTokenFingerprint, Recoveries: intent.Recoveries,
		}
	}
	if dead := d.Reauthorize; dead != nil {
		r.Reauthorize = &Reauthorize{Reason: dead.Reason, At: dead.At}
	}
	if wrong := d.Misconfigured; wrong != nil {
		r.Misconfigured = &Misconfigured{Code: wrong.Code, At: wrong.At, Configuration: wrong.Configuration}
	}
	return r, nil
}

func secretOf(text string) oauth.Secret {
	if text == "" {
		return oauth.Secret{}
	}
	return oauth.NewSecret(text)
}
