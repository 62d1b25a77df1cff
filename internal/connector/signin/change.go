// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/claviger/claviger/internal/connector"
)

// Times of a write. A user, or the host's backend, waits for it.
const (
	changeWithin = 15 * time.Second
	changeAgain  = 200 * time.Millisecond
)

// change changes what is kept of a grant, and tries again while there is time: others change it too, and the API server may be away for
// a moment. decide is given what there is each time, and may fail, which ends it.
func (s *Service) change(ctx context.Context, grant string, decide func(connector.Kept) (connector.Change, error)) error {
	ctx, cancel := context.WithTimeout(ctx, changeWithin)
	defer cancel()
	for {
		err := s.tryChange(ctx, grant, decide)
		var refused *refusal
		switch {
		case err == nil, errors.Is(err, connector.ErrGone), errors.Is(err, connector.ErrDamaged):
			return err
		case errors.As(err, &refused):
			return refused.error
		case !pause(ctx, changeAgain):
			return err
		}
	}
}

// refusal is an error of decide.
type refusal struct{ error }

func (s *Service) tryChange(ctx context.Context, grant string, decide func(connector.Kept) (connector.Change, error)) error {
	kept, err := s.Grants.Load(ctx, grant)
	if err != nil {
		return fmt.Errorf("reading a grant: %w", err)
	}
	change, err := decide(kept)
	if err != nil {
		return &refusal{err}
	}
	if change.Empty() {
		return nil
	}
	if _, err := s.Grants.Save(ctx, grant, change, kept.Version); err != nil {
		return fmt.Errorf("writing a grant: %w", err)
	}
	return nil
}

// pause waits, and reports whether there is time left.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
