// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
)

// maxRemembered bounds how many answers are remembered.
const maxRemembered = 10_000

// Keys are the issuer's.
type Keys interface {
	Ring() (*keyring.Ring, bool)
	// Ask fetches the keys anew, unless that was just done, and reports whether it did.
	Ask(context.Context) bool
}

// Options are what a Judge is made of. All are required, but for Tokens.
type Options struct {
	// Issuer is the issuer identifier.
	Issuer string
	Client *Client
	Keys   Keys
	// Tokens remembers which signatures are good.
	Tokens *token.Cache
	// Remember is how long an answer holds. Zero: no longer than it takes to give it to all who wait for it.
	Remember time.Duration
	Metrics  *Metrics
	Now      func() time.Time
}

// Judge says whether a token is good for a place as issuer.Service.Authorize does, by asking. Only tokens that are genuine, by
// their signature and expiry, are asked about: whoever makes tokens up causes no question. It is safe for concurrent use.
type Judge struct {
	Options

	answers *otter.Cache[[sha256.Size]byte, remembered]
	flight  singleflight.Group
	guard   guard
}

type remembered struct {
	answer Answer
	at     time.Time
}

// NewJudge makes a judge.
func NewJudge(options Options) *Judge {
	return &Judge{Options: options, answers: otter.Must(&otter.Options[[sha256.Size]byte, remembered]{MaximumSize: maxRemembered})}
}

var (
	errNoKeys     = errors.New("the issuer's keys are not loaded")
	errInactive   = errors.New("the issuer says that the token is not active")
	errOtherToken = errors.New("the issuer's answer is about another token")
)

// Authorize says whether a token is good for a place. Its errors are those of issuer.Service.Authorize: server_error wherever the
// issuer could not be asked.
func (j *Judge) Authorize(ctx context.Context, raw string, need issuer.Need) (issuer.Access, error) {
	claims, err := j.verify(ctx, raw)
	if err != nil {
		return issuer.Access{}, err
	}
	answer, err := j.know(ctx, raw)
	switch {
	case err != nil:
		return issuer.Access{}, oauth.ServerError(err)
	case !answer.Active:
		return issuer.Access{}, oauth.InvalidToken(errInactive)
	case answer.TokenID != claims.ID || answer.ClientID != claims.ClientID || answer.Account != claims.Account || answer.Issuer != j.Issuer:
		return issuer.Access{}, oauth.ServerError(errOtherToken)
	}
	scopes, err := oauth.ParseScopes(answer.Scope)
	if err != nil {
		return issuer.Access{}, oauth.ServerError(err)
	}
	return issuer.Admit(j.Issuer, claims, scopes, need)
}

// verify says whether a token is genuine and has not expired, with fresh keys where its key is not known.
func (j *Judge) verify(ctx context.Context, raw string) (token.Claims, error) {
	for again := false; ; again = true {
		ring, ok := j.Keys.Ring()
		if !ok {
			return token.Claims{}, oauth.ServerError(errNoKeys)
		}
		claims, err := j.Tokens.Verify(raw, ring, token.Expect{Issuer: j.Issuer, Now: j.Now()})
		switch {
		case err == nil:
			return claims, nil
		case again || !errors.Is(err, token.ErrUnknownKey) || !j.Keys.Ask(ctx):
			return token.Claims{}, oauth.InvalidToken(err)
		}
	}
}

// know gives the issuer's answer about a token, which is as old as Remember at most.
func (j *Judge) know(ctx context.Context, raw string) (Answer, error) {
	name := sha256.Sum256([]byte(raw))
	if known, found := j.answers.GetIfPresent(name); found {
		if age := j.Now().Sub(known.at); age >= 0 && age < j.Remember {
			j.Metrics.count(resultRemembered)
			return known.answer, nil
		}
	}
	// Not bounded by the one who happens to ask first: the client bounds its calls.
	asked := j.flight.DoChan(string(name[:]), func() (any, error) { return j.ask(context.WithoutCancel(ctx), name, raw) })
	select {
	case result := <-asked:
		answer, _ := result.Val.(Answer)
		return answer, result.Err
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("asking about a token: %w", context.Cause(ctx))
	}
}

func (j *Judge) ask(ctx context.Context, name [sha256.Size]byte, raw string) (Answer, error) {
	at := j.Now() // the answer is as old as the question
	if err := j.guard.enter(at); err != nil {
		j.Metrics.count(resultResting)
		return Answer{}, err
	}
	answer, err := j.Client.ask(ctx, raw)
	j.guard.leave(j.Now(), err)
	switch {
	case err != nil:
		j.Metrics.count(resultError)
		return Answer{}, err
	case answer.Active:
		j.Metrics.count(resultActive)
	default:
		j.Metrics.count(resultInactive)
	}
	if j.Remember > 0 {
		j.answers.Set(name, remembered{answer: answer, at: at})
	}
	return answer, nil
}
